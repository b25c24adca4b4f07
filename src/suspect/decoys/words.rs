//! A recovery phrase, and the words for it. In: random numbers. Out: twelve words of the list that wallets know, which no wallet accepts.

use std::io;

use crate::model::sha256;
use crate::suspect::decoys::random::Random;

/// Every sixteenth word of the English list of BIP-39, from the first on.
const WORDS: &str = "abandon acoustic advice alcohol amount anxiety army asthma avoid bamboo beef bid blossom borrow bright bulk cactus capital \
catch champion chimney claw clown come copy craft cross current day deliver despair dignity divorce dragon dune ecology elite energy equal evoke \
exotic faith favorite figure fix foam foster fun gas ginger goat gravity gym head hire host hybrid improve inject invite job key lab lawn length \
link lottery maid marine meat metal mix mosquito must neglect noodle object old orchard own parade pear piano plastic pool present project puppy \
quote rare reduce render retreat ring rose safe scale search series ship siege skate slot sock source spirit staff stock submit sure swing task \
theme tilt tomato toward trend tube ugly unlock useless velvet village voyage way wheel winter wrap";
const STEP: u16 = 16;

/// Twelve words whose checksum is wrong.
///
/// # Errors
/// When there are no random numbers.
pub fn phrase(random: &mut Random) -> io::Result<String> {
    let words: Vec<&str> = WORDS.split(' ').collect();
    loop {
        let drawn: Vec<usize> = (0..12).map(|_| random.below(words.len())).collect::<io::Result<_>>()?;
        if !checks(&drawn) {
            return Ok(drawn.iter().map(|at| words[*at]).collect::<Vec<_>>().join(" "));
        }
    }
}

/// Twelve words are 132 bits: 128 of a key, and the first four of its SHA-256 (BIP-39).
fn checks(drawn: &[usize]) -> bool {
    let mut bits = drawn.iter().flat_map(|at| {
        let number = *at as u16 * STEP;
        (0..11).rev().map(move |bit| (number >> bit & 1) as u8)
    });
    let key: Vec<u8> = (0..16).map(|_| bits.by_ref().take(8).fold(0, |byte, bit| byte << 1 | bit)).collect();
    let check = bits.fold(0, |nibble, bit| nibble << 1 | u32::from(bit));
    sha256::hex(&key).chars().next() == char::from_digit(check, 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wallet_accepts_it() {
        let words: Vec<&str> = WORDS.split(' ').collect();
        assert_eq!(words.len() * usize::from(STEP), 2048);
        // The phrase of sixteen zero bytes ends in `about`, which is the fourth word of the list: `abandon` at its place is wrong.
        assert!(!checks(&[0; 12]));
        let right = (0..128).filter(|last| checks(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, *last])).count();
        assert!((1..30).contains(&right), "about one in sixteen is right: {right}");
        let mut random = Random::new().unwrap();
        for _ in 0..50 {
            let phrase = phrase(&mut random).unwrap();
            let drawn: Vec<usize> = phrase.split(' ').map(|word| words.iter().position(|known| *known == word).unwrap()).collect();
            assert!(drawn.len() == 12 && !checks(&drawn), "{phrase}");
        }
    }
}
