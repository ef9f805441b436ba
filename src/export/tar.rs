//! Files in one stream, as a tar archive (POSIX ustar): what every system unpacks.

use axum::body::Bytes;

/// Heads and bodies are padded to this.
const BLOCK: usize = 512;

/// The longest name that a head takes.
const NAME_MAX: usize = 100;

/// The head of a file.
///
/// # Panics
/// When the name is longer than 100 bytes, or the file larger than 8 GiB: ours are not.
#[must_use]
pub fn head(name: &str, bytes: usize) -> Vec<u8> {
    assert!(name.len() <= NAME_MAX, "names of data sets are short");
    assert!(bytes < 1 << 33, "a span is bounded");
    let mut head = vec![0; BLOCK];
    let mut put =
        |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{bytes:011o}\0"));
    put(136, "00000000000\0");
    // The checksum counts its own place as spaces.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    head
}

/// What follows the bytes of a file.
#[must_use]
pub const fn padding(bytes: usize) -> &'static [u8] {
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    ZEROS.split_at((BLOCK - bytes % BLOCK) % BLOCK).0
}

/// What ends an archive.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// An archive that is cut, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the files did not arrive whole")]
pub struct Cut;

/// The files of an archive, with their names.
///
/// # Errors
/// When it does not end where an archive ends.
pub fn files(archive: &Bytes) -> Result<Vec<(String, Bytes)>, Cut> {
    let (mut files, mut at) = (Vec::new(), 0);
    loop {
        let head = archive.get(at..at + BLOCK).ok_or(Cut)?;
        if head.iter().all(|byte| *byte == 0) {
            return Ok(files);
        }
        let name = head[..NAME_MAX].split(|byte| *byte == 0).next();
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let size = std::str::from_utf8(&head[124..135]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size, 8).ok());
        let (name, size) = name.zip(size).ok_or(Cut)?;
        let start = at + BLOCK;
        if archive.len() < start + size {
            return Err(Cut);
        }
        files.push((name.to_owned(), archive.slice(start..start + size)));
        at = start + size + padding(size).len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(parts: &[(&str, &[u8])]) -> Bytes {
        let mut bytes = Vec::new();
        for (name, body) in parts {
            bytes.extend_from_slice(&head(name, body.len()));
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(padding(body.len()));
        }
        bytes.extend_from_slice(&END);
        bytes.into()
    }

    #[test]
    fn files_come_out_as_they_went_in_and_a_cut_is_noticed() {
        let long = [7; 1_025];
        let whole = archive(&[
            ("day=1/a", b"one"),
            ("b", b""),
            ("c", &long),
            ("d", &[1; 512]),
        ]);
        assert!(whole.len().is_multiple_of(BLOCK));
        let files = files(&whole).expect("it is whole");
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["day=1/a", "b", "c", "d"]);
        assert_eq!(files[0].1, b"one"[..]);
        assert!(files[1].1.is_empty() && files[2].1 == long[..] && files[3].1.len() == 512);
        for cut in [0, 100, 512, 700, 1_500, whole.len() - 1_024] {
            assert_eq!(super::files(&whole.slice(..cut)), Err(Cut), "{cut}");
        }
        assert_eq!(super::files(&archive(&[])), Ok(Vec::new()));
    }
}
