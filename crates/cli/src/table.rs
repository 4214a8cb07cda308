//! Rows under headings.

/// The rows, each value under its heading; the last column is as wide as it is.
pub fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let headings = headings.map(str::to_owned);
    let mut widths = [0; N];
    for row in std::iter::once(&headings).chain(rows) {
        for (width, value) in widths.iter_mut().zip(row) {
            *width = (*width).max(value.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let values = row.iter().zip(widths).map(|(value, width)| format!("{value:<width$}"));
        format!("{}\n", values.collect::<Vec<_>>().join("  ").trim_end())
    };
    std::iter::once(&headings).chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_under_their_headings() {
        let rows = [["a", "übrig", "x"], ["long one", "-", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(
            table(["NAME", "LEFT", "LABEL"], &rows),
            "NAME      LEFT   LABEL\n\
             a         übrig  x\n\
             long one  -\n"
        );
        assert_eq!(table(["A", "B"], &[]), "A  B\n");
    }
}
