//! The keys of objects that some format cares for, as numbers; all others are passed over.

macro_rules! keys {
    ($($name:ident $text:literal)*) => {
        /// A key that some format cares for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Key { $($name,)* }

        /// How many keys there are.
        pub(crate) const KEYS: usize = [$(Key::$name,)*].len();

        impl Key {
            /// The key that is spelled so, if some format cares for it.
            #[inline]
            pub(crate) fn of(text: &[u8]) -> Option<Key> {
                match text {
                    $($text => Some(Key::$name),)*
                    _ => None,
                }
            }
        }
    };
}

keys! {
    Account b"account"
    Action b"action"
    Actor b"actor"
    AuthorId b"author_id"
    Content b"content"
    Control b"control"
    CreatedAt b"created_at"
    Data b"data"
    Date b"date"
    Delete b"delete"
    DeletedAt b"deleted_at"
    DirectMessage b"direct_message"
    Disconnect b"disconnect"
    DmConversation b"dmConversation"
    DmConversationId b"dm_conversation_id"
    DmEventId b"dm_event_id"
    EditHistory b"edit_history"
    EditHistoryTweetIds b"edit_history_tweet_ids"
    EditTweetIds b"edit_tweet_ids"
    Entities b"entities"
    Errors b"errors"
    Event b"event"
    EventType b"event_type"
    Events b"events"
    Follower b"follower"
    Following b"following"
    ForUser b"for_user"
    Friends b"friends"
    FriendsStr b"friends_str"
    FullText b"full_text"
    Id b"id"
    IdDotStr b"id.str"
    IdStr b"id_str"
    InReplyTo b"inReplyTo"
    InReplyToStatusId b"in_reply_to_status_id"
    InReplyToStatusIdStr b"in_reply_to_status_id_str"
    InReplyToTweetId b"inReplyToTweetId"
    InReplyToUser b"inReplyToUser"
    InReplyToUserId b"in_reply_to_user_id"
    InReplyToUserIdStr b"in_reply_to_user_id_str"
    Includes b"includes"
    Info b"info"
    ItemContent b"itemContent"
    Legacy b"legacy"
    Like b"like"
    Limit b"limit"
    Link b"link"
    MatchingRules b"matching_rules"
    Media b"media"
    MemberCount b"member_count"
    Message b"message"
    MessageCreate b"message_create"
    Meta b"meta"
    Object b"object"
    ObjectType b"objectType"
    ParticipantIds b"participant_ids"
    PostedTime b"postedTime"
    QuotedStatus b"quoted_status"
    QuotedStatusId b"quoted_status_id"
    QuotedStatusIdStr b"quoted_status_id_str"
    QuotedStatusResult b"quoted_status_result"
    QuotedTweet b"quotedTweet"
    Reason b"reason"
    Recipient b"recipient"
    RecipientId b"recipient_id"
    RecipientIdStr b"recipient_id_str"
    RedactedAt b"redacted_at"
    ReferencedTweets b"referenced_tweets"
    RequestParameters b"requestParameters"
    RestId b"rest_id"
    Results b"results"
    RetweetedStatus b"retweeted_status"
    RetweetedStatusResult b"retweeted_status_result"
    RetweetedTweet b"retweetedTweet"
    ScreenName b"screen_name"
    ScrubGeo b"scrub_geo"
    SearchMetadata b"search_metadata"
    Sender b"sender"
    SenderId b"sender_id"
    SenderIdStr b"sender_id_str"
    SourceStatusId b"source_status_id"
    SourceStatusIdStr b"source_status_id_str"
    Status b"status"
    StatusWithheld b"status_withheld"
    Statuses b"statuses"
    Target b"target"
    Text b"text"
    Tweet b"tweet"
    TweetCount b"tweet_count"
    TweetResults b"tweet_results"
    Tweets b"tweets"
    TwitterQuotedStatus b"twitter_quoted_status"
    Type b"type"
    Typename b"__typename"
    UnderscoreType b"_type"
    Url b"url"
    User b"user"
    UserIdStr b"user_id_str"
    UserResults b"user_results"
    UserWithheld b"user_withheld"
    Username b"username"
    Users b"users"
    Verb b"verb"
    Warning b"warning"
}
