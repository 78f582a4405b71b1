//! What a column holds, as far as masking cares: the same for every protocol.

/// Whether a value travels as text or in its type's binary form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// As people read it.
    Text,
    /// As the protocol packs it.
    Binary,
}

/// The bytes of an integer type, signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// 8 bits.
    One,
    /// 16 bits.
    Two,
    /// 24 bits.
    Three,
    /// 32 bits.
    Four,
    /// 64 bits.
    Eight,
}

impl Width {
    /// The value bits: all but the sign.
    pub fn bits(self) -> u32 {
        match self {
            Self::One => 7,
            Self::Two => 15,
            Self::Three => 23,
            Self::Four => 31,
            Self::Eight => 63,
        }
    }

    /// The value, if it fits.
    pub fn fit(self, value: i64) -> Option<i64> {
        let fits = match self {
            Self::One => i8::try_from(value).is_ok(),
            Self::Two => i16::try_from(value).is_ok(),
            Self::Three => (-(1 << 23)..1 << 23).contains(&value),
            Self::Four => i32::try_from(value).is_ok(),
            Self::Eight => true,
        };
        fits.then_some(value)
    }
}

/// What one value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Characters.
    Text,
    /// Characters, padded with blanks to the declared length: the blanks are no part of the value.
    Padded,
    /// A signed integer.
    Integer(Width),
    /// A float of 32 bits.
    Single,
    /// A float of 64 bits.
    Double,
    /// A decimal number of any precision.
    Decimal,
    /// An amount that prints as the server's locale says: only NULL masks it.
    Money,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A time of day without a zone.
    Time,
    /// A day and a time without a zone.
    Timestamp,
    /// An instant.
    TimestampTz,
    /// A span of time: only NULL masks it.
    Interval,
    /// A UUID.
    Uuid,
    /// JSON as it was written.
    Json,
    /// JSON in a binary form of the server's own.
    Jsonb,
    /// Bytes.
    Bytes,
    /// A network address: only NULL masks it.
    Inet,
    /// One of a list of labels: NULL masks it, or a label given by `fixed`.
    Enumeration,
    /// A row of fields: only NULL masks it.
    Composite,
    /// Anything else: only NULL masks it.
    Unknown,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// One value.
    One(Kind),
    /// An array of such values, of any dimensions.
    Array(Kind),
}

impl ColumnType {
    /// A column of characters.
    pub const TEXT: Self = Self::One(Kind::Text);
    /// A column nothing is known of.
    pub const UNKNOWN: Self = Self::One(Kind::Unknown);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_beyond_its_width_does_not_fit() {
        assert_eq!(Width::Two.fit(32_767), Some(32_767));
        assert_eq!(Width::Two.fit(-32_769), None);
        assert_eq!((Width::One.fit(-128), Width::One.fit(128)), (Some(-128), None));
        assert_eq!(
            (Width::Three.fit(-8_388_608), Width::Three.fit(8_388_608)),
            (Some(-8_388_608), None)
        );
        assert_eq!(Width::Four.fit(1 << 31), None);
        assert_eq!(Width::Eight.fit(i64::MIN), Some(i64::MIN));
    }
}
