//! Numbers as Java writes them; transforms write them too, so the code is in the crate `record`.

pub(super) use record::{place_decimal, write_decimal, write_double, write_float, write_int, write_long_decimal};
