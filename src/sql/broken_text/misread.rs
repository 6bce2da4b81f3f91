//! UTF-8 that somebody read as Windows-1252 or as Mac Roman and saved as UTF-8: `grÃ¶ÃŸe`, `gr√∂√üe`.

use std::ops::Range;

/// The characters of Windows-1252 from 0x80 to 0x9F; from there on it is Latin-1.
const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ";

/// The characters of Mac Roman from 0x80 on.
const MAC: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{A0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{F8FF}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/// The first run of characters that was misread, in bytes.
pub(super) fn first(text: &str) -> Option<Range<usize>> {
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (character.is_ascii(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                if [windows, mac].iter().any(|byte| is_misread(&text[from..at], *byte)) {
                    return Some(from..at);
                }
                start = None;
            }
            (true, None) | (false, Some(_)) => {}
        }
    }
    None
}

/// Whether a run of characters gives, by the bytes that they have in another encoding, nothing but letters and signs in UTF-8.
fn is_misread(run: &str, byte: fn(char) -> Option<u8>) -> bool {
    let bytes: Option<Vec<u8>> = run.chars().map(byte).collect();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).is_some_and(|text| !text.is_empty())
}

fn windows(character: char) -> Option<u8> {
    match u8::try_from(u32::from(character)) {
        Ok(byte) if byte >= 0xA0 => Some(byte),
        _ => place(WINDOWS, character),
    }
}

fn mac(character: char) -> Option<u8> {
    place(MAC, character)
}

fn place(table: &str, character: char) -> Option<u8> {
    table.chars().position(|known| known == character).and_then(|at| u8::try_from(at + 0x80).ok())
}
