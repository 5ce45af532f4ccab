//! The objects on their way into a file: one by one, in order, counted against the cover sheet.

use std::io;

use super::WriteError;
use crate::base::ids::{Id, IdKind, TweetId, UserId};
use crate::export::cover::Cover;
use crate::export::object::{Object, TweetObject, UserObject};

/// Objects with what is known of those that went by.
pub(super) struct Feed<'a> {
    cover: &'a Cover,
    objects: &'a mut dyn Iterator<Item = io::Result<Object>>,
    progress: &'a mut dyn FnMut(u64),
    /// The first User, met while looking for another Tweet.
    waiting: Option<Box<UserObject>>,
    last: Option<(IdKind, u64)>,
    tweets: u64,
    users: u64,
}

impl<'a> Feed<'a> {
    pub(super) fn new(
        cover: &'a Cover,
        objects: &'a mut dyn Iterator<Item = io::Result<Object>>,
        progress: &'a mut dyn FnMut(u64),
    ) -> Feed<'a> {
        Feed { cover, objects, progress, waiting: None, last: None, tweets: 0, users: 0 }
    }

    /// The next Tweet, until there are no more.
    pub(super) fn tweet(&mut self) -> Result<Option<Box<TweetObject>>, WriteError> {
        if self.waiting.is_some() {
            return Ok(None);
        }
        match self.next()? {
            Some(Object::Tweet(tweet)) => {
                self.tweets += 1;
                (self.progress)(self.tweets);
                Ok(Some(tweet))
            }
            Some(Object::User(user)) => {
                self.waiting = Some(user);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// The next User, until there are no more; asked for once there are no more Tweets.
    pub(super) fn user(&mut self) -> Result<Option<Box<UserObject>>, WriteError> {
        let user = match self.waiting.take() {
            Some(user) => user,
            None => match self.next()? {
                Some(Object::User(user)) => user,
                Some(Object::Tweet(_)) => unreachable!("the order is looked after"),
                None => return Ok(None),
            },
        };
        self.users += 1;
        (self.progress)(self.tweets + self.users);
        Ok(Some(user))
    }

    /// Checks that everything came that the cover sheet promises, and no more.
    pub(super) fn finish(mut self) -> Result<(), WriteError> {
        let all_read = self.waiting.is_none() && self.next()?.is_none();
        if all_read && (self.tweets, self.users) == (self.cover.tweets, self.cover.users) {
            return Ok(());
        }
        Err(WriteError::Count { tweets: self.tweets, users: self.users })
    }

    fn next(&mut self) -> Result<Option<Object>, WriteError> {
        let Some(object) = self.objects.next().transpose().map_err(WriteError::Objects)? else {
            return Ok(None);
        };
        let place = match &object {
            Object::Tweet(tweet) => (TweetId::KIND, tweet.id.value()),
            Object::User(user) => (UserId::KIND, user.id.value()),
        };
        if let Some(last) = self.last
            && place < last
        {
            let name = |(kind, id)| format!("{kind} {id}");
            return Err(WriteError::Order { before: name(last), after: name(place) });
        }
        self.last = Some(place);
        Ok(Some(object))
    }
}
