//! What a byte can be to PostgreSQL's scanner; each constant is one bit.

/// Whitespace.
pub(super) const SPACE: u8 = 1;
/// Begins a name.
pub(super) const IDENT_START: u8 = 2;
/// Goes on in a name.
pub(super) const IDENT_CONT: u8 = 4;
/// Makes an operator.
pub(super) const OPERATOR: u8 = 8;
/// A decimal digit.
pub(super) const DIGIT: u8 = 16;

/// What each byte can be.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C => SPACE,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | 0x80..=0xFF => IDENT_START | IDENT_CONT,
            b'0'..=b'9' => IDENT_CONT | DIGIT,
            b'$' => IDENT_CONT,
            b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' => {
                OPERATOR
            }
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Whether a byte can be this.
#[inline]
pub(super) fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}
