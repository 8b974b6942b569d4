/// Skips the one record of a ClientHello, then reads eight bytes at a time: how much is wanted.
#[derive(Default)]
pub(crate) struct Reader {
    header: Vec<u8>,
    /// Bytes of the record that are still to come, once its header was read.
    record: Option<usize>,
    number: Vec<u8>,
}

impl Reader {
    /// Takes bytes; how many are wanted by what is whole with them.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> u64 {
        let mut wanted = 0;
        while !bytes.is_empty() {
            match &mut self.record {
                None => {
                    bytes = fill(&mut self.header, 5, bytes);
                    if let &[_, _, _, high, low] = self.header.as_slice() {
                        self.record = Some(usize::from(u16::from_be_bytes([high, low])));
                    }
                }
                Some(left @ 1..) => {
                    let skipped = bytes.len().min(*left);
                    *left -= skipped;
                    bytes = bytes.get(skipped..).unwrap_or_default();
                }
                Some(0) => {
                    bytes = fill(&mut self.number, 8, bytes);
                    if let Ok(number) = <[u8; 8]>::try_from(self.number.as_slice()) {
                        wanted += u64::from_be_bytes(number);
                        self.number.clear();
                    }
                }
            }
        }
        wanted
    }
}

/// Fills `part` up to `size`; what is left of the bytes.
fn fill<'a>(part: &mut Vec<u8>, size: usize, bytes: &'a [u8]) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(bytes.len().min(size.saturating_sub(part.len())));
    part.extend_from_slice(taken);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_behind_the_record() {
        let mut bytes = vec![22, 3, 1, 1, 0];
        bytes.extend([7; 256]);
        bytes.extend(64_u64.to_be_bytes());
        bytes.extend(1_000_000_u64.to_be_bytes());
        for size in [1, 4, 100, bytes.len()] {
            let mut reader = Reader::default();
            let wanted: u64 = bytes.chunks(size).map(|piece| reader.take(piece)).sum();
            assert_eq!(wanted, 1_000_064, "in pieces of {size}");
        }
    }
}
