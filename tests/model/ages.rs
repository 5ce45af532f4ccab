//! IDs by how many ticks ago something happened to them; no state remembers when its world began,
//! so that a finite number of states covers any length of time.

/// One more than the greatest age that is told apart.
const AGES: usize = 8;

/// How many IDs there are of each age, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ages([u8; AGES]);

impl Ages {
    /// Enters `ids` of that age.
    pub fn add(&mut self, age: u8, ids: u8) {
        self.0[usize::from(age)] += ids;
    }

    /// A tick goes by; nobody cares how much older than `oldest` something is.
    pub fn tick(&mut self, oldest: u8) {
        let oldest = usize::from(oldest);
        let kept = self.0[oldest];
        self.0.copy_within(..oldest, 1);
        self.0[0] = 0;
        self.0[oldest] += kept;
    }

    /// How many are younger than `age`.
    pub fn younger_than(&self, age: u8) -> u8 {
        self.0[..usize::from(age)].iter().sum()
    }

    /// What of those that are younger than `age` is more than in `there`, for each age.
    pub fn beyond(&self, there: &Ages, age: u8) -> Ages {
        let mut beyond = Ages::default();
        for younger in 0..usize::from(age) {
            beyond.0[younger] = self.0[younger].saturating_sub(there.0[younger]);
        }
        beyond
    }

    /// How many there are.
    pub fn sum(&self) -> u8 {
        self.0.iter().sum()
    }

    /// Removes those that have reached `age`, and returns how many they were.
    pub fn take_from(&mut self, age: u8) -> u8 {
        let old = &mut self.0[usize::from(age)..];
        let taken = old.iter().sum();
        old.fill(0);
        taken
    }
}

impl std::ops::AddAssign<&Ages> for Ages {
    fn add_assign(&mut self, other: &Ages) {
        for (to, from) in self.0.iter_mut().zip(other.0) {
            *to += from;
        }
    }
}
