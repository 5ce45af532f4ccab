//! Whether a number is in an ascending list, fast for the many that are not: some bits in front
//! say "certainly not". 10 bytes for each number of the list.

/// Bits for each number.
const BITS_EACH: usize = 16;

/// The fewest bits, as a power of two.
const BITS_MIN: u32 = 12;

/// An ascending list with bits in front of it.
pub(super) struct Probe<'a> {
    list: &'a [u64],
    bits: Vec<u64>,
    shift: u32,
}

impl<'a> Probe<'a> {
    /// A probe of an ascending list.
    pub(super) fn of(list: &'a [u64]) -> Probe<'a> {
        let wanted = (list.len() * BITS_EACH).next_power_of_two().trailing_zeros();
        let power = wanted.max(BITS_MIN);
        let mut probe = Probe { list, bits: vec![0; 1 << (power - 6)], shift: 64 - power };
        for &number in list {
            let bit = probe.bit(number);
            probe.bits[bit / 64] |= 1 << (bit % 64);
        }
        probe
    }

    /// Snowflakes differ in few bits: a multiplication spreads them, and the highest bits depend
    /// on all.
    #[inline]
    fn bit(&self, number: u64) -> usize {
        (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }

    /// Whether the list holds `number`.
    #[inline]
    pub(super) fn holds(&self, number: u64) -> bool {
        let bit = self.bit(number);
        self.bits[bit / 64] >> (bit % 64) & 1 != 0 && self.list.binary_search(&number).is_ok()
    }

    /// Whether the list is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_agrees_with_its_list() {
        for count in [0_u64, 1, 5, 10_000] {
            let list: Vec<u64> = (0..count).map(|n| (n * 7) << 22).collect();
            let probe = Probe::of(&list);
            for n in 0..3 * count + 10 {
                let number = n << 22;
                assert_eq!(probe.holds(number), list.binary_search(&number).is_ok(), "{number}");
            }
            assert!(!probe.holds(u64::MAX));
        }
    }
}
