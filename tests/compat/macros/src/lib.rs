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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use zeroize::Zeroize;

    #[test]
    fn what_they_wrote_works() {
        assert_eq!(PlainBuilder::default().name("x".into()).build().unwrap().name, "x");
        assert_eq!(Typed::builder().name("x".into()).build().name(), "x");
        assert_eq!(Arguments::parse_from(["x", "--name", "y"]).name, "y");
        assert_eq!((No.to_string(), Yes.to_string()), ("no".into(), "yes".into()));
        assert_eq!(enum_iterator::all::<Side>().count(), 2);
        assert!(matches!("Left".parse::<Side>(), Ok(Side::Left)));
        assert_eq!(MAP.get("one"), Some(&1));
        assert_eq!(TEXT, "text\n");
        let mut secret = Secret(7);
        secret.zeroize();
        assert_eq!(secret.0, 0);
        assert_eq!(built().name("x".into()).call(), "x");
        assert_eq!(borsh::to_vec(&Stored { number: 1 }).unwrap(), [1, 0, 0, 0]);
    }

    #[rstest::rstest]
    #[case(1, 2)]
    #[case(2, 3)]
    fn cases(#[case] one: u32, #[case] next: u32) {
        assert_eq!(one + 1, next);
    }

    #[tokio::test]
    async fn later() {
        struct Now;
        #[async_trait::async_trait]
        impl Later for Now {
            async fn later(&self) {}
        }
        Now.later().await;
    }
}
