//! Small databases as SQLite 3 writes them (file format: sqlite.org/fileformat2.html). In: a table with its rows. Out: a file's bytes, of two
//! pages: the schema, and a leaf with all rows.

const PAGE: usize = 16384;
/// What a leaf may keep in itself (usable size less 35); longer rows would need pages of their own.
const LONGEST: usize = PAGE - 35;

#[derive(Clone)]
pub enum Value {
    Number(u32),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

/// A database of one table. Rows that have no room are left out.
pub fn database(table: &str, schema: &str, rows: &[Vec<Value>]) -> Vec<u8> {
    let entry = [Value::from("table"), Value::from(table), Value::from(table), Value::Number(2), Value::from(schema)];
    let mut bytes = leaf(100, &[entry.to_vec()]);
    bytes[..16].copy_from_slice(b"SQLite format 3\0");
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(16, &(PAGE as u16).to_be_bytes());
    // Rollback journal, nothing reserved, payload fractions.
    put(18, &[1, 1, 0, 64, 32, 32]);
    // Change counter, pages; schema cookie and format, UTF-8; version-valid-for, and the version that wrote.
    for (at, number) in [(24, 7u32), (28, 2), (40, 1), (44, 4), (56, 1), (92, 7), (96, 3_046_001)] {
        put(at, &number.to_be_bytes());
    }
    bytes.extend(leaf(0, rows));
    bytes
}

/// A page of table rows, its header at `start`.
fn leaf(start: usize, rows: &[Vec<Value>]) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let (mut end, mut cells) = (PAGE, Vec::new());
    for (id, row) in (1u64..).zip(rows) {
        let record = record(row);
        let cell = [varint(record.len() as u64), varint(id), record].concat();
        let room = end - (start + 8 + 2 * (cells.len() + 1));
        if cell.len() > room.min(LONGEST) {
            break;
        }
        end -= cell.len();
        page[end..end + cell.len()].copy_from_slice(&cell);
        cells.push(end as u16);
    }
    page[start] = 13;
    page[start + 3..start + 5].copy_from_slice(&(cells.len() as u16).to_be_bytes());
    page[start + 5..start + 7].copy_from_slice(&(end as u16).to_be_bytes());
    for (at, cell) in cells.iter().enumerate() {
        page[start + 8 + 2 * at..start + 10 + 2 * at].copy_from_slice(&cell.to_be_bytes());
    }
    page
}

fn record(row: &[Value]) -> Vec<u8> {
    let (mut types, mut body) = (Vec::new(), Vec::new());
    for value in row {
        match value {
            Value::Number(number) => {
                types.extend(varint(4));
                body.extend(number.to_be_bytes());
            }
            Value::Text(text) => {
                types.extend(varint(text.len() as u64 * 2 + 13));
                body.extend(text.bytes());
            }
            Value::Bytes(bytes) => {
                types.extend(varint(bytes.len() as u64 * 2 + 12));
                body.extend(bytes);
            }
        }
    }
    // The length of the header counts itself: one byte, for so few columns.
    let header = varint(types.len() as u64 + 1);
    [header, types, body].concat()
}

/// Seven bits a byte, the highest first.
fn varint(number: u64) -> Vec<u8> {
    let mut bytes = vec![(number & 0x7f) as u8];
    let mut rest = number >> 7;
    while rest > 0 {
        bytes.insert(0, (rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_the_format_has_them() {
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(0x81), [0x81, 1]);
        assert_eq!(record(&[Value::from("ab"), Value::Number(1), Value::Bytes(vec![9])]), [4, 17, 4, 14, b'a', b'b', 0, 0, 0, 1, 9]);
    }

    /// Read by the real thing, where that is installed.
    #[test]
    fn sqlite_reads_it() {
        let rows: Vec<Vec<Value>> =
            (0..900).map(|at| vec![Value::Number(at), Value::from("https://a.example"), Value::Bytes(vec![7; 40])]).collect();
        let bytes = database("logins", "CREATE TABLE logins (id INTEGER, url TEXT, secret BLOB)", &rows);
        assert_eq!(bytes.len(), 2 * PAGE);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        std::fs::write(&path, bytes).unwrap();
        let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nprint(c.execute('pragma integrity_check').fetchone()[0], c.execute('select url, length(secret) from logins where id = 3').fetchone())";
        match std::process::Command::new("python3").args(["-c", script]).arg(&path).output() {
            Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "ok ('https://a.example', 40)", "{output:?}"),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
        }
    }
}
