//! The digits that Java 17 writes for large floating-point numbers.
//!
//! Up to JDK 18, `Double.toString` writes digits that are not the shortest ones, or not the nearest, for some numbers of 1e16
//! and more (`Float.toString`: of 1.6e7 and more). Debezium's images and most Connect workers run on such a JDK, and
//! consumers compare texts. So these numbers get Java's digits, by its way of counting: numbers below 2^63 as integers that
//! are cut behind the digits that count, larger ones digit by digit until what is left is below half a unit in the last
//! place.
//!
//! Must not know: where the point stands.

/// At most this many digits are made.
const MOST: usize = 24;

/// A number of a format with `precision` significant bits: `fraction` · 2^`shift`. The highest bit of `fraction` is bit
/// `precision` − 1.
pub(super) struct Large {
    fraction: u64,
    shift: u32,
    precision: u32,
}

/// Decimal digits, and the exponent of the first one.
pub(super) struct Digits {
    pub(super) bytes: [u8; MOST],
    pub(super) count: usize,
    pub(super) exponent: i32,
}

impl Large {
    /// The number, if Java's digits may differ from the shortest ones. That was so for no number of 2^90 and more among some
    /// millions; below 2^110, 128 bits hold everything that is counted.
    pub(super) fn of(fraction: u64, shift: i32, precision: u32) -> Option<Self> {
        let shift = u32::try_from(shift).ok().filter(|shift| (1..=110 - precision).contains(shift))?;
        Some(Self { fraction, shift, precision })
    }

    /// The decimal digits that Java writes.
    pub(super) fn digits(&self) -> Digits {
        if self.magnitude() <= 62 { self.as_integer() } else { self.one_by_one() }
    }

    /// The power of two of the highest bit.
    fn magnitude(&self) -> u32 {
        self.precision - 1 + self.shift
    }

    fn as_integer(&self) -> Digits {
        let mut number = u128::from(self.fraction) << self.shift;
        let mut dropped = 0;
        if let Some(bits) = self.magnitude().checked_sub(self.precision + 1).filter(|bits| *bits > 1) {
            // As many digits do not count as 2^bits has behind its first one.
            dropped = (f64::from(bits) * std::f64::consts::LOG10_2) as u32;
            let unit = 10_u128.pow(dropped);
            let rest = number % unit;
            number = number / unit + u128::from(dropped > 0 && rest >= unit / 2);
        }
        let mut digits = Digits { bytes: [0; MOST], count: 0, exponent: 0 };
        for byte in number.to_string().bytes().take(MOST) {
            digits.push(byte);
        }
        digits.exponent = digits.count as i32 - 1 + dropped as i32;
        digits
    }

    fn one_by_one(&self) -> Digits {
        let (magnitude, zeros) = (self.magnitude(), self.fraction.trailing_zeros());
        let bits = self.precision - zeros;
        let mut exponent = self.estimate();
        // Powers of two and of five of the number, of ten to the power of the exponent, and of half a unit.
        let (mut number_2, mut ten_2) = (magnitude as i32 - (bits as i32 - 1), exponent);
        let mut half_2 = magnitude as i32 - self.precision as i32;
        let common = number_2.min(ten_2);
        (number_2, ten_2, half_2) = (number_2 - common, ten_2 - common, half_2 - common);
        if bits == 1 {
            half_2 -= 1;
        }
        if half_2 < 0 {
            (number_2, ten_2, half_2) = (number_2 - half_2, ten_2 - half_2, 0);
        }
        // Java counts with 64 bits where these suffice, and looks at a rest of exactly half a unit differently then.
        let is_short = bits as i32 + number_2 < 64 && ten_2 + 1 + bits_of_five(exponent + 1) < 64;
        let ten = 5_u128.pow(exponent as u32) << ten_2;
        let (mut number, mut half) = (u128::from(self.fraction >> zeros) << number_2, 1_u128 << half_2);
        let mut digits = Digits { bytes: [0; MOST], count: 0, exponent: 0 };
        let mut is_first = true;
        let (mut low, mut high);
        loop {
            let digit = number / ten;
            number = 10 * (number % ten);
            half *= 10;
            low = number < half;
            high = number + half >= ten * 10;
            if is_short {
                // The sums that Java's 64 bits cannot hold are taken for negative numbers.
                let (rest, half, tens) = (number as i64, half as i64, (ten * 10) as i64);
                low = half <= 0 || rest < half;
                high = half <= 0 || rest.wrapping_add(half) > tens;
            }
            if is_first && digit == 0 && !high {
                exponent -= 1;
            } else {
                digits.push(b'0' + digit as u8);
            }
            // The first digit is never the last one.
            (low, high) = (low && !is_first, high && !is_first);
            is_first = false;
            if low || high || digits.count == MOST {
                break;
            }
        }
        if high {
            let (twice, tens) = (number * 2, ten * 10);
            let rest = if is_short { (twice as i64).wrapping_sub(tens as i64).cmp(&0) } else { twice.cmp(&tens) };
            let is_odd = digits.bytes[digits.count - 1] & 1 == 1;
            if !low || rest.is_gt() || rest.is_eq() && is_odd {
                digits.round_up(&mut exponent);
            }
        }
        digits.exponent = exponent;
        digits
    }

    /// The exponent of the first digit, or one more than that.
    fn estimate(&self) -> i32 {
        let fraction = self.fraction as f64 / (1_u64 << (self.precision - 1)) as f64;
        let log =
            (fraction - 1.5) * 0.289_529_654 + 0.176_091_259 + f64::from(self.magnitude()) * std::f64::consts::LOG10_2;
        log.floor() as i32
    }
}

impl Digits {
    fn push(&mut self, digit: u8) {
        self.bytes[self.count] = digit;
        self.count += 1;
    }

    fn round_up(&mut self, exponent: &mut i32) {
        for place in (0..self.count).rev() {
            if self.bytes[place] < b'9' {
                self.bytes[place] += 1;
                return;
            }
            self.bytes[place] = b'0';
        }
        self.bytes[0] = b'1';
        *exponent += 1;
    }
}

/// The number of bits of a power of five.
fn bits_of_five(power: i32) -> i32 {
    128 - 5_u128.pow(power as u32).leading_zeros() as i32
}
