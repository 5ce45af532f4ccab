window.YTD.tweets.part0 = [
  {
    "tweet": {
      "id_str": "1500000000001000003",
      "id": "1500000000001000003",
      "full_text": "made up",
      "created_at": "Sat Mar 05 06:47:23 +0000 2022",
      "entities": {
        "user_mentions": []
      }
    }
  },
  {
    "tweet": {
      "id_str": "1500000000002000006",
      "id": "1500000000002000006",
      "full_text": "made up",
      "created_at": "Sat Mar 05 06:47:23 +0000 2022",
      "entities": {
        "user_mentions": []
      },
      "in_reply_to_status_id_str": "1500000000005000015",
      "in_reply_to_user_id_str": "1400000000004999915"
    }
  }
]
