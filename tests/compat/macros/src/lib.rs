//! Macros are called, not only built: one that is only built has not been loaded.
#![allow(dead_code)]

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone, Debug, Default, derive_builder::Builder)]
struct Plain {
    name: String,
}

#[derive(typed_builder::TypedBuilder, getset::Getters)]
struct Typed {
    #[getset(get = "pub")]
    name: String,
}

#[derive(clap::Parser)]
struct Arguments {
    #[arg(long)]
    name: String,
}

#[derive(thiserror::Error, Debug)]
#[error("no")]
struct No;

/// yes
#[derive(displaydoc::Display)]
struct Yes;

#[derive(strum::EnumString, enum_iterator::Sequence, enum_map::Enum, num_derive::FromPrimitive, Clone, Copy)]
enum Side {
    Left,
    Right,
}

#[derive(logos::Logos, Debug, PartialEq)]
enum Token {
    #[regex("[a-z]+")]
    Word,
}

#[derive(bytemuck::Pod, bytemuck::Zeroable, Clone, Copy)]
#[repr(C)]
struct Bits(u32);

#[derive(zeroize::Zeroize)]
struct Secret(u8);

#[derive(snafu::Snafu, Debug)]
enum Failed {
    Once,
}

#[derive(bincode::Encode, bincode::Decode, borsh::BorshSerialize)]
struct Stored {
    number: u32,
}

#[async_trait::async_trait]
trait Later {
    async fn later(&self);
}

#[bon::builder]
fn built(name: String) -> String {
    name
}

#[tracing::instrument]
fn traced() {}

static MAP: phf::Map<&'static str, u32> = phf::phf_map! { "one" => 1 };
const TEXT: &str = indoc::indoc! {"
    text
"};
