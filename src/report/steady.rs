//! Names that were drawn at random, replaced by a star: two runs of the same build have others. In: a path with placeholders. Out: the same in every
//! run. Only in places for results and temporary files: elsewhere a name is what somebody chose.

use crate::model::is_drawn;

pub fn steady(bytes: Vec<u8>) -> Vec<u8> {
    let has = |place: &[u8]| bytes.windows(place.len()).any(|window| window == place);
    if !bytes.contains(&b'{') || ![&b"{target}"[..], b"{tmp}", b"{out}"].into_iter().any(has) {
        return bytes;
    }
    let (mut after_incremental, mut after_tmp) = (false, false);
    let components = bytes.split(|byte| *byte == b'/').map(|component| {
        let steady = component_of(component, after_incremental, after_tmp);
        after_incremental |= component == b"incremental";
        after_tmp |= component.ends_with(b"{tmp}");
        steady
    });
    components.collect::<Vec<_>>().join(&b'/')
}

fn component_of(component: &[u8], incremental: bool, tmp: bool) -> Vec<u8> {
    // Whole words: `rmetaAb12Cd`, `ccAb12Cd.s`.
    for prefix in [&b"rmeta"[..], b"rustc", b"rustdoctest", b"cc", b".cdtor.", b".tmp"] {
        if let Some(rest) = component.strip_prefix(prefix)
            && rest.get(..6).is_some_and(is_drawn)
            && rest.get(6).is_none_or(|next| *next == b'.')
        {
            return [prefix, b"*", &rest[6..]].concat();
        }
    }
    // Incremental sessions: `s-<time>-<random>-working`, `s-<time>-<random>.lock`.
    if incremental && component.starts_with(b"s-") {
        return if component.ends_with(b".lock") { b"s-*.lock".to_vec() } else { b"s-*".to_vec() };
    }
    // What is kept of each unit for the next session.
    if let Some(unit) =
        component.strip_suffix(b".o").filter(|unit| incremental && unit.len() >= 20 && unit.iter().all(u8::is_ascii_alphanumeric))
    {
        return if unit.iter().any(u8::is_ascii_digit) { b"*.o".to_vec() } else { component.to_vec() };
    }
    invocation(component)
        .or_else(|| temporary(component))
        .or_else(|| ending(component).or_else(|| tail(component)).filter(|_| tmp))
        .unwrap_or_else(|| component.to_vec())
}

/// `app-1f.app.9c-cgu.0.028teox.rcgu.o`: before what rustc calls a codegen unit's own stands what it drew for this invocation, and before that which of the
/// crate's hundreds of units it is, which says nothing. What names another crate there stays.
fn invocation(component: &[u8]) -> Option<Vec<u8>> {
    let at = component.windows(6).rposition(|window| window == b".rcgu.")?;
    let begins = component[..at].iter().rposition(|byte| *byte == b'.')? + 1;
    let is_word = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric);
    if !is_word(&component[begins..at]) {
        return None;
    }
    let parts: Vec<&[u8]> = component[..begins - 1].split(|byte| *byte == b'.').collect();
    let is_unit = match &parts[..] {
        [_, unit] => unit.len() >= 20 && is_word(unit),
        [_, _, unit, number] => unit.ends_with(b"-cgu") && number.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let kept = if is_unit { parts[0].len() + 1 } else { begins };
    Some([&component[..kept], b"*", &component[at..]].concat())
}

/// The file of one unit, as above or in an incremental session: several of them are told as one.
pub fn is_unit(path: &[u8]) -> bool {
    path.ends_with(b".*.rcgu.o")
}

/// `app-1f.tmp4822472`, `libx-2e.so.tmpAb12C`: what linkers write before it has its name.
fn temporary(component: &[u8]) -> Option<Vec<u8>> {
    let at = component.windows(4).rposition(|window| window == b".tmp")? + 4;
    let drawn = &component[at..];
    (drawn.len() >= 4 && drawn.iter().all(u8::is_ascii_alphanumeric)).then(|| [&component[..at], b"*"].concat())
}

/// `tmp.K1n567aBcD`, as mktemp(1) makes them: an ending that no kind of file has.
fn ending(component: &[u8]) -> Option<Vec<u8>> {
    let at = component.iter().rposition(|byte| *byte == b'.')? + 1;
    let drawn = &component[at..];
    let has = |is: fn(&u8) -> bool| drawn.iter().any(is);
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && drawn.iter().all(u8::is_ascii_alphanumeric);
    (drawn.len() >= 6 && mixed).then(|| [&component[..at], b"*"].concat())
}

/// In an actor's own temporary directory: a name, or what stands before its ending, that ends as mkstemp(3) ends one. A word looks otherwise: it has
/// no digits in it and its letters are of one size.
fn tail(component: &[u8]) -> Option<Vec<u8>> {
    let ends = component.iter().position(|byte| *byte == b'.').filter(|at| *at > 0).unwrap_or(component.len());
    let begins = ends.checked_sub(6)?;
    let drawn = &component[begins..ends];
    let has = |is: fn(&u8) -> bool| drawn.iter().any(is);
    let kinds = [has(u8::is_ascii_digit), has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase)];
    let mixed = kinds.into_iter().filter(|has| *has).count() > 1;
    (is_drawn(drawn) && mixed).then(|| [&component[..begins], b"*", &component[ends..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_becomes_a_star() {
        for (given, expected) in [
            ("{target}/debug/deps/app-1f.app.9c1e-cgu.0.028teox.rcgu.o", "{target}/debug/deps/app-1f.*.rcgu.o"),
            ("{target}/debug/deps/app-1f.0k0v8w0jb51i23.028teox.rcgu.bc", "{target}/debug/deps/app-1f.0k0v8w0jb51i23.*.rcgu.bc"),
            ("{target}/debug/deps/app-1f.2vnx0ontqrx0q08g6vlkjvxwp.028teox.rcgu.o", "{target}/debug/deps/app-1f.*.rcgu.o"),
            ("{target}/debug/incremental/app-1/s-h1-0x-working/2vnx0ontqrx0q08g6vlkjvxwp.o", "{target}/debug/incremental/app-1/s-*/*.o"),
            // Another crate's.
            ("{target}/debug/deps/bar-ff.foo-001122.028teox.rcgu.o", "{target}/debug/deps/bar-ff.foo-001122.*.rcgu.o"),
            ("{target}/debug/deps/app-1f.tmpf273398", "{target}/debug/deps/app-1f.tmp*"),
            ("{target}/debug/deps/libm-2e.so.tmpAb12C", "{target}/debug/deps/libm-2e.so.tmp*"),
            ("{target}/debug/deps/app.tmp", "{target}/debug/deps/app.tmp"),
            ("{target}/debug/deps/rmetaabcdef/full.rmeta", "{target}/debug/deps/rmeta*/full.rmeta"),
            ("{target}/debug/incremental/app-1/s-h1-0x-working/dep", "{target}/debug/incremental/app-1/s-*/dep"),
            ("{target}/debug/incremental/app-1/s-h1-0x.lock", "{target}/debug/incremental/app-1/s-*.lock"),
            ("{tmp}/rustdoctestK1n567/rustdoc-cfgs", "{tmp}/rustdoctest*/rustdoc-cfgs"),
            ("{tmp}/bindgen-K1n567.h", "{tmp}/bindgen-*.h"),
            ("{tmp}/tmp.K1n567aBcD", "{tmp}/tmp.*"),
            ("{tmp}/list.sha256sum", "{tmp}/list.sha256sum"),
            ("-o{tmp}/libK1n567.so.tmpx", "-o{tmp}/lib*.so.tmpx"),
            ("{tmp}/configure.log", "{tmp}/configure.log"),
            ("{tmp}/PROBES", "{tmp}/PROBES"),
            // Somebody's own names, wherever they are.
            ("{workspace}/src/app.tmpf273398", "{workspace}/src/app.tmpf273398"),
            ("{target}/debug/build/x-1f/out/modelK1n567", "{target}/debug/build/x-1f/out/modelK1n567"),
            ("{target}/debug/deps/.rcgu.o", "{target}/debug/deps/.rcgu.o"),
        ] {
            let told = String::from_utf8(steady(given.into())).unwrap();
            assert_eq!(told, expected);
        }
    }
}
