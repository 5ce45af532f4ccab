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
    Action b"action"
    Actor b"actor"
    AuthorId b"author_id"
    Control b"control"
    Data b"data"
    Delete b"delete"
    DirectMessage b"direct_message"
    Disconnect b"disconnect"
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
    ForUser b"for_user"
    Friends b"friends"
    FriendsStr b"friends_str"
    FullText b"full_text"
    Id b"id"
    IdStr b"id_str"
    InReplyTo b"inReplyTo"
    InReplyToStatusId b"in_reply_to_status_id"
    InReplyToStatusIdStr b"in_reply_to_status_id_str"
    InReplyToUserId b"in_reply_to_user_id"
    InReplyToUserIdStr b"in_reply_to_user_id_str"
    Includes b"includes"
    Info b"info"
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
    QuotedStatus b"quoted_status"
    QuotedStatusId b"quoted_status_id"
    QuotedStatusIdStr b"quoted_status_id_str"
    Recipient b"recipient"
    RecipientId b"recipient_id"
    RecipientIdStr b"recipient_id_str"
    ReferencedTweets b"referenced_tweets"
    RequestParameters b"requestParameters"
    Results b"results"
    RetweetedStatus b"retweeted_status"
    ScrubGeo b"scrub_geo"
    SearchMetadata b"search_metadata"
    Sender b"sender"
    SenderId b"sender_id"
    SenderIdStr b"sender_id_str"
    SourceStatusId b"source_status_id"
    SourceStatusIdStr b"source_status_id_str"
    Status b"status"
    Statuses b"statuses"
    StatusWithheld b"status_withheld"
    Target b"target"
    Text b"text"
    TweetCount b"tweet_count"
    Tweets b"tweets"
    TwitterQuotedStatus b"twitter_quoted_status"
    Type b"type"
    User b"user"
    UserWithheld b"user_withheld"
    Username b"username"
    Users b"users"
    Verb b"verb"
    Warning b"warning"
}
