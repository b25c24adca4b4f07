//! Target: the stack of a new program, as read at its exec stop, and its edit. What is withheld is gone; what is kept stays as it was, in
//! order, and the auxiliary vector with it.

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::launch::initial_stack::{Edit, InitialStack};
use crate::sys::memory;

/// A program's strings.
#[derive(Debug)]
struct Program {
    argv: Vec<Bytes>,
    env: Vec<(Bytes, Edit)>,
    auxv: Vec<(u64, u64)>,
}

fn program(source: &mut Source) -> Program {
    let text = |source: &mut Source| {
        let mut text = if source.one_in(3) { source.bytes(40) } else { source.hostile().as_bytes().to_vec() };
        text.retain(|byte| *byte != 0);
        text
    };
    let variable = |source: &mut Source| {
        let name = source.pick(&["TOKEN", "PATH", "A", "", "LD_PRELOAD"]);
        let value = text(source);
        let whole = if source.one_in(8) { value.clone() } else { [name.as_bytes(), b"=", &value].concat() };
        let edit = match source.below(4) {
            0 => Edit::Remove,
            1 => Edit::Replace(std::os::unix::ffi::OsStringExt::from_vec(text(source))),
            _ => Edit::Keep,
        };
        (Bytes(whole), edit)
    };
    let most = source.pick(&[0, 3, 30]);
    Program {
        argv: source.many(4, |source| Bytes(text(source))),
        env: source.many(most, variable),
        // Without the one that points at a string (`AT_EXECFN`).
        auxv: source.many(5, |source| (32 + source.number() % 60, source.next())),
    }
}

/// Laid out as execve does, for the address it will lie at.
fn image(program: &Program, base: u64) -> Vec<u8> {
    let texts: Vec<&[u8]> = program.argv.iter().map(|text| &text.0[..]).chain(program.env.iter().map(|(text, _)| &text.0[..])).collect();
    let words = 1 + program.argv.len() + 1 + program.env.len() + 1 + 2 * (program.auxv.len() + 1);
    let mut at = base + 8 * words as u64;
    let mut image = vec![program.argv.len() as u64];
    for (index, text) in texts.iter().enumerate() {
        if index == program.argv.len() {
            image.push(0);
        }
        image.push(at);
        at += text.len() as u64 + 1;
    }
    if program.env.is_empty() {
        image.push(0);
    }
    image.push(0);
    image.extend(program.auxv.iter().chain([&(0, 0)]).flat_map(|(tag, value)| [*tag, *value]));
    let strings = texts.iter().flat_map(|text| text.iter().copied().chain([0]));
    image.iter().flat_map(|word| word.to_ne_bytes()).chain(strings).collect()
}

#[test]
fn edits_take_away_what_they_name_and_nothing_else() {
    fuzz("initial-stack", 1500, program, |program| {
        let length = image(program, 0).len();
        // Something lies above, which nobody may touch.
        let mut place = vec![0xa5u8; length + 64];
        let base = place.as_mut_ptr() as u64;
        place[..length].copy_from_slice(&image(program, base));
        let said = |error: std::io::Error| error.to_string();
        let mut initial = InitialStack::parse(base, place[..length].to_vec()).map_err(said)?;
        must(initial.argv().len() == program.argv.len(), || "other arguments".into())?;
        must(initial.argv().iter().zip(&program.argv).all(|(read, given)| read.as_encoded_bytes() == given.0), || {
            "other arguments".into()
        })?;

        let edits: Vec<Edit> = program.env.iter().map(|(_, edit)| edit.clone()).collect();
        let fits = |(text, edit): &(Bytes, Edit)| match edit {
            Edit::Replace(new) => new.len() <= text.0.len() - name_length(&text.0),
            _ => true,
        };
        let edited = initial.edit(std::process::id() as i32, &edits);
        if !program.env.iter().all(fits) {
            return must(edited.is_err(), || "a longer value was put in".into());
        }
        edited.map_err(said)?;
        let mut seen = vec![0; length + 64];
        memory::read(std::process::id(), base, &mut seen).map_err(said)?;
        must(seen[length..] == [0xa5; 64], || "more was written than there is".into())?;
        let after = InitialStack::parse(base, seen[..length].to_vec()).map_err(said)?;
        must(after.argv() == initial.argv(), || "other arguments afterwards".into())?;
        let left: Vec<Vec<u8>> = after.env().map(|(name, value)| pair(name.as_encoded_bytes(), value.as_encoded_bytes())).collect();
        let expected: Vec<Vec<u8>> = program.env.iter().filter_map(kept).collect();
        must(left == expected, || format!("left: {:?}", left.iter().map(|text| Bytes(text.clone())).collect::<Vec<_>>()))?;
        let auxv: Vec<u8> =
            program.auxv.iter().chain([&(0, 0)]).flat_map(|(tag, value)| [*tag, *value]).flat_map(u64::to_ne_bytes).collect();
        must(after.auxiliary() == auxv, || "another auxiliary vector".into())?;
        // What was taken away is nowhere in the memory, unless it stands in something that was kept.
        for (text, _) in program.env.iter().filter(|(text, edit)| *edit == Edit::Remove && text.0.len() > 12) {
            let holds = |bytes: &[u8]| bytes.windows(text.0.len()).any(|window| window == text.0);
            let elsewhere = expected.iter().any(|kept| holds(kept)) || program.argv.iter().any(|argument| holds(&argument.0));
            must(elsewhere || !holds(&seen), || format!("still there: {text:?}"))?;
        }
        Ok(())
    });
}

fn name_length(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte == b'=').map_or(text.len(), |cut| cut + 1)
}

fn pair(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b"=", value].concat()
}

/// What is left of a variable, as name and value; without a sign it is a name.
fn kept((text, edit): &(Bytes, Edit)) -> Option<Vec<u8>> {
    let cut = text.0.iter().position(|byte| *byte == b'=').unwrap_or(text.0.len());
    let value = text.0.get(cut + 1..).unwrap_or_default();
    match edit {
        Edit::Keep => Some(pair(&text.0[..cut], value)),
        Edit::Remove => None,
        Edit::Replace(new) => Some(pair(&text.0[..cut], new.as_encoded_bytes())),
    }
}

#[test]
fn any_stack_is_read_or_refused() {
    let damaged = |source: &mut Source| {
        let any = source.number();
        let base = source.pick(&[0, 0x7000, 0x7fff_ffff_f000, u64::MAX - 4096, any]);
        let mut bytes = image(&program(source), base.min(1 << 48));
        mutate(source, &mut bytes, &[0; 16], &[&0x7000u64.to_ne_bytes(), &[0xff; 8], &[0; 8]]);
        (base, Bytes(bytes))
    };
    fuzz("initial-stack-any", 3000, damaged, |(base, bytes)| {
        let Ok(initial) = InitialStack::parse(*base, bytes.0.clone()) else { return Ok(()) };
        let total: usize = initial.argv().iter().map(|word| word.len()).sum();
        must(total <= 2 * bytes.0.len(), || format!("{total} bytes of arguments in {} of memory", bytes.0.len()))?;
        initial.env().for_each(drop);
        Ok(())
    });
}
