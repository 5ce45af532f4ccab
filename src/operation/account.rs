//! Which account of the machine asks, as the audit log names it.

use crate::base::party::Actor;

/// The actor for a user ID of the system: `local:ada`, or `local:uid-1000` if it has no name.
pub fn actor_of(uid: u32) -> Actor {
    let user = nix::unistd::User::from_uid(uid.into()).ok().flatten();
    Actor::Local(user.map_or_else(|| format!("uid-{uid}").into(), |user| user.name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_a_name_is_its_number() {
        assert_eq!(actor_of(0).to_string(), "local:root");
        assert_eq!(actor_of(4_123_456_789).to_string(), "local:uid-4123456789");
    }
}
