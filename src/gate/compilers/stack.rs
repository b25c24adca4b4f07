//! One variable more for a program that has not begun: the stack the kernel laid out (`argc argv… NULL envp… NULL auxv…`, execve(2)) is laid
//! down once more below itself, with one pointer more in it. In: the words from the stack pointer on, as read. Out: what is to be written, and
//! the new stack pointer. What `/proc/PID/environ` shows lies elsewhere and stays.

const WORD: usize = size_of::<u64>();
/// What every ABI wants of a stack pointer.
const ALIGNED: usize = 16;

/// Lays it out. `None` where `image` is no such stack, does not hold it whole, or has that variable.
pub fn with_variable(base: u64, image: &[u8], name: &str, value: &str) -> Option<(u64, Vec<u8>)> {
    let word = |index: usize| Some(u64::from_ne_bytes(image.get(index * WORD..)?.first_chunk()?.to_owned()));
    let envp = usize::try_from(word(0)?).ok()?.checked_add(2)?;
    if word(envp - 1)? != 0 {
        return None;
    }
    let mut end = envp;
    let has = |address: u64| {
        let at = usize::try_from(address.checked_sub(base)?).ok()?;
        Some(image.get(at..)?.strip_prefix(name.as_bytes())?.first() == Some(&b'='))
    };
    while word(end)? != 0 {
        image.get(usize::try_from(word(end)?.checked_sub(base)?).ok()?..)?;
        if has(word(end)?) == Some(true) {
            return None;
        }
        end += 1;
    }
    let mut after = end + 1;
    while word(after)? != libc::AT_NULL {
        after += 2;
    }
    after += 2;
    word(after - 1)?;
    let text = [name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat();
    let down = (WORD + text.len()).next_multiple_of(ALIGNED);
    let lower = base.checked_sub(down as u64)?;
    let mut new = image[..end * WORD].to_vec();
    new.extend((lower + ((after + 1) * WORD) as u64).to_ne_bytes());
    new.extend(&image[end * WORD..after * WORD]);
    new.extend(text);
    Some((lower, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 0x7000;

    /// Two words, one variable, one pair of the auxiliary vector, and the strings.
    fn stack(variable: &str) -> Vec<u8> {
        let strings = BASE + 10 * 8;
        let mut words = [2, strings, strings + 2, 0, strings + 4, 0, libc::AT_PAGESZ, 4096, libc::AT_NULL, 0]
            .iter()
            .flat_map(|word: &u64| word.to_ne_bytes())
            .collect::<Vec<u8>>();
        words.extend(b"a\0b\0");
        words.extend(variable.bytes().chain([0]));
        words
    }

    #[test]
    fn one_more_behind_the_others() {
        let image = stack("A=1");
        let (lower, new) = with_variable(BASE, &image, "NEW", "value").unwrap();
        assert_eq!((lower % 16, lower), (0, BASE - 32));
        let word = |at: usize| u64::from_ne_bytes(new[at * 8..at * 8 + 8].try_into().unwrap());
        let strings = BASE + 10 * 8;
        let at = lower + 11 * 8;
        let words: Vec<u64> = (0..11).map(word).collect();
        assert_eq!(words, [2, strings, strings + 2, 0, strings + 4, at, 0, libc::AT_PAGESZ, 4096, libc::AT_NULL, 0]);
        assert_eq!(&new[11 * 8..], b"NEW=value\0");
        // It ends before what stays where it was.
        assert!(lower + new.len() as u64 <= strings);
    }

    #[test]
    fn what_is_not_touched() {
        assert_eq!(with_variable(BASE, &stack("NEW=old"), "NEW", "value"), None);
        assert!(with_variable(BASE, &stack("NEWER=old"), "NEW", "value").is_some());
        let image = stack("A=1");
        for cut in 0..10 * 8 {
            assert_eq!(with_variable(BASE, &image[..cut], "NEW", "value"), None, "cut at {cut}");
        }
        let mut strange = image.clone();
        strange[..8].copy_from_slice(&u64::MAX.to_ne_bytes());
        assert_eq!(with_variable(BASE, &strange, "NEW", "value"), None);
    }
}
