//! The pages for people: HTML without scripts, one file for each noun of the address.
//!
//! A page is made by a handler that takes a [`visitor::Visitor`], or a [`visitor::Member`] who has
//! signed in; a form that changes something arrives as [`form::Sent`], which has made sure that a
//! page of ours sent it. A refusal is the same [`crate::http::problem`] that programs get, put into
//! words on a page by the layer [`layout::problems_for_people`].

pub(super) mod account;
pub(super) mod admin;
mod chart;
pub(super) mod dataset;
pub(super) mod documents;
pub(super) mod entity;
pub(super) mod exemption;
pub(super) mod exports;
mod form;
pub(super) mod home;
pub(super) mod identity;
pub(super) mod invitation;
pub(super) mod join;
pub(super) mod layout;
#[cfg(feature = "oidc")]
pub(super) mod provider;
pub(super) mod register;
mod removals;
pub(super) mod report;
pub(super) mod share;
mod share_form;
mod qr;
pub(super) mod sign_in;
pub(super) mod style;
mod table;
mod upload;
mod visitor;
