//! Makes a deeply nested record usable: the parts beyond the depth limit are left out.
//!
//! A client can send a deeply nested object to the API server, whose audit record includes it. A client must
//! not be able to hide a request by the shape of its body. So only the body is lost: a field `requestObject`
//! or `responseObject` that nests too deep is left out as a whole, wherever it is.

use rmp::encode;

use super::cursor::{Cursor, DecodeError, MAX_DEPTH, Token};

/// Replaces a part that is left out.
pub const LEFT_OUT: &str = "[left out: nested too deep]";

/// The bodies in an audit record.
pub(super) const BODIES: [&[u8]; 2] = [b"requestObject", b"responseObject"];

/// A copy of one whole value in which no container is deeper than [`MAX_DEPTH`].
///
/// # Errors
/// When the bytes are not one whole value.
pub fn limit_depth(value: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::with_capacity(value.len());
    copy(&mut Cursor::new(value), 0, &mut out)?;
    Ok(out)
}

/// Copies the value at the cursor, which is inside this many containers. Recursive up to the depth limit.
fn copy(from: &mut Cursor<'_>, containers: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let start = *from;
    let head = from.token()?;
    let len = match head {
        Token::Array(len) | Token::Map(len) if len > 0 => len,
        _ => {
            out.extend_from_slice(start.up_to(from));
            return Ok(());
        }
    };
    if containers >= MAX_DEPTH {
        from.skip_children(head)?;
        leave_out(out);
        return Ok(());
    }
    out.extend_from_slice(start.up_to(from));
    for _ in 0..len {
        let mut is_body = false;
        if matches!(head, Token::Map(_)) {
            let mut key = *from;
            is_body = matches!(key.token(), Ok(Token::Str(name)) if BODIES.contains(&name));
            copy(from, containers + 1, out)?;
        }
        if is_body && from.clone().value_inside(containers + 1).is_err() {
            from.skip()?;
            leave_out(out);
        } else {
            copy(from, containers + 1, out)?;
        }
    }
    Ok(())
}

fn leave_out(out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = encode::write_str(out, LEFT_OUT);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"a": 1, <name>: <this many arrays>, "z": 2}`
    fn record(name: &[u8], arrays: usize) -> Vec<u8> {
        let text = |text: &[u8]| [&[0xa0 | u8::try_from(text.len()).unwrap()], text].concat();
        let deep = [vec![0x91; arrays], vec![0xc0]].concat();
        [vec![0x83], text(b"a"), vec![1], text(name), deep, text(b"z"), vec![2]].concat()
    }

    #[test]
    fn what_nests_no_deeper_than_it_may_is_copied_as_it_is() {
        for name in [&b"b"[..], b"requestObject"] {
            let whole = record(name, MAX_DEPTH - 1);
            assert!(Cursor::new(&whole).value().is_ok());
            assert_eq!(limit_depth(&whole).unwrap(), whole);
        }
    }

    #[test]
    fn what_lies_too_deep_is_left_out_and_a_body_whole() {
        let members = |bytes: &[u8]| rmpv::decode::read_value(&mut &bytes[..]).unwrap();
        for arrays in [MAX_DEPTH, MAX_DEPTH + 1, 100, 100_000] {
            let cut = limit_depth(&record(b"b", arrays)).unwrap();
            assert_eq!(Cursor::new(&cut).value().map(<[u8]>::len), Ok(cut.len()));
            assert_eq!(Cursor::new(&cut).containers(), 0);
            assert_eq!(members(&cut)["z"], 2.into());
            let cut = members(&limit_depth(&record(b"responseObject", arrays)).unwrap());
            assert_eq!(
                (&cut["a"], &cut["responseObject"], &cut["z"]),
                (&1.into(), &LEFT_OUT.into(), &2.into())
            );
        }
    }

    #[test]
    fn a_body_deep_in_a_record_is_left_out_by_what_is_left_of_the_depth() {
        let inside =
            |around: usize, arrays: usize| [vec![0x91; around], record(b"requestObject", arrays)].concat();
        let fits = inside(10, MAX_DEPTH - 11);
        assert_eq!(limit_depth(&fits).unwrap(), fits);
        let cut = limit_depth(&inside(10, MAX_DEPTH - 10)).unwrap();
        assert!(cut.windows(LEFT_OUT.len()).any(|window| window == LEFT_OUT.as_bytes()));
        assert!(cut.len() < fits.len());
    }

    #[test]
    fn what_is_not_whole_stays_an_error() {
        let whole = record(b"b", 100);
        for end in 0..whole.len() {
            assert!(limit_depth(&whole[..end]).is_err(), "{end}");
        }
    }
}
