window.YTD.account.part0 = [
  {
    "account": {
      "email": "made-up@example.org",
      "accountId": "1400000000000999983",
      "username": "made_up"
    }
  }
]
window.YTD.follower.part0 = [
  {
    "follower": {
      "accountId": "1400000000001999966",
      "userLink": "https://x.com/intent/user?user_id=1400000000001999966"
    }
  }
]
window.YTD.following.part0 = [
  {
    "following": {
      "accountId": "1400000000002999949"
    }
  }
]
window.YTD.like.part0 = [
  {
    "like": {
      "tweetId": "1500000000006000018",
      "fullText": "made up",
      "expandedUrl": "https://x.com/i/web/status/1500000000006000018"
    }
  }
]
window.YTD.tweet_headers.part0 = [
  {
    "tweet": {
      "tweet_id": "1500000000001000003",
      "user_id": "1400000000000999983",
      "created_at": "Sat Mar 05 06:47:23 +0000 2022"
    }
  }
]
window.YTD.deleted_tweets.part0 = [
  {
    "tweet": {
      "id_str": "1500000000007000021",
      "id": "1500000000007000021",
      "full_text": "made up",
      "created_at": "Sat Mar 05 06:47:23 +0000 2022",
      "entities": {
        "user_mentions": []
      },
      "deleted_at": "Sat Mar 05 06:47:23 +0000 2022"
    }
  }
]
window.YTD.device_token.part0 = [
  {
    "deviceToken": {
      "clientApplicationId": "1082764",
      "token": "x"
    }
  }
]
window.YTD.direct_messages.part0 = [
  {
    "dmConversation": {
      "conversationId": "1400000000000999983-1400000000003999932",
      "messages": [
        {
          "messageCreate": {
            "recipientId": "1400000000003999932",
            "reactions": [
              {
                "eventId": "1"
              }
            ],
            "text": "made up",
            "senderId": "1400000000000999983",
            "id": "1450000000001000033",
            "createdAt": "2022-03-05T06:47:23.000Z"
          }
        },
        {
          "participantsJoin": {
            "userIds": [
              "1400000000008999847"
            ]
          }
        },
        {
          "messageCreate": {
            "recipientId": "1400000000000999983",
            "text": "made up",
            "senderId": "1400000000003999932",
            "id": "1450000000002000066"
          }
        }
      ]
    }
  }
]
window.__THAR_CONFIG = {"userInfo":{"accountId":"1400000000000999983"},"archiveInfo":{"sizeBytes":"1"}}
