//! A schema history in a file, one record a line, as Debezium's `FileSchemaHistory` writes it.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::{Found, HistoryError};

/// A schema history in a file.
#[derive(Debug)]
pub struct HistoryFile {
    path: PathBuf,
}

impl HistoryFile {
    /// The history in the file at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    #[allow(clippy::needless_pass_by_value)] // errors are handed over by `map_err`
    fn failed(&self, what: &'static str, error: std::io::Error) -> HistoryError {
        HistoryError::File { path: self.path.clone(), what, reason: error.to_string() }
    }

    pub(super) fn find(&self) -> Result<Found, HistoryError> {
        match fs::metadata(&self.path) {
            Ok(found) if found.len() == 0 => Ok(Found::Empty),
            Ok(_) => Ok(Found::Records),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Found::Missing),
            Err(error) => Err(self.failed("found", error)),
        }
    }

    pub(super) fn create(&self) -> Result<(), HistoryError> {
        let made = || {
            if let Some(folder) = folder(&self.path) {
                fs::create_dir_all(folder)?;
            }
            OpenOptions::new().create(true).append(true).open(&self.path)?.sync_all()?;
            // A new file survives a crash only when its folder is synced too.
            File::open(folder(&self.path).unwrap_or(Path::new(".")))?.sync_all()
        };
        made().map_err(|error: std::io::Error| self.failed("made", error))
    }

    pub(super) fn load(&self, give: &mut dyn FnMut(String) -> bool) -> Result<(), HistoryError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failed("read", error)),
        };
        let (mut reader, mut line) = (BufReader::new(file), String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).map_err(|error| self.failed("read", error))? == 0 {
                return Ok(());
            }
            let record = line.trim();
            if !line.ends_with('\n') && !is_json(record) {
                tracing::warn!(file = %self.path.display(), "the last line of the schema history was cut off by a crash before it was \
                    acknowledged: it is left out");
                return Ok(());
            }
            if !record.is_empty() && !give(record.to_owned()) {
                return Ok(());
            }
        }
    }

    pub(super) fn append(&self, records: &[String]) -> Result<(), HistoryError> {
        let written = || {
            let mut file = OpenOptions::new().create(true).read(true).append(true).open(&self.path)?;
            let mut text = String::new();
            match unfinished(&mut file)? {
                None => {}
                Some((_, last)) if is_json(last.trim()) => text.push('\n'),
                Some((start, _)) => file.set_len(start)?,
            }
            for record in records {
                push_in_one_line(record, &mut text);
                text.push('\n');
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        written().map_err(|error: std::io::Error| self.failed("written", error))
    }
}

fn folder(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

/// The last line, if it has no line end, and where it starts. A crash may have cut it off before it was acknowledged.
fn unfinished(file: &mut File) -> std::io::Result<Option<(u64, String)>> {
    file.seek(SeekFrom::Start(0))?;
    let (mut reader, mut start, mut line) = (BufReader::new(file), 0, Vec::new());
    loop {
        line.clear();
        let count = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok((count > 0).then(|| (start, String::from_utf8_lossy(&line).into_owned())));
        }
        start += count as u64;
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Appends a JSON text without the whitespace between its tokens, and so without a line end.
fn push_in_one_line(json: &str, out: &mut String) {
    let (mut in_text, mut is_escaped) = (false, false);
    for c in json.chars() {
        if in_text {
            (in_text, is_escaped) = (is_escaped || c != '"', !is_escaped && c == '\\');
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_text = c == '"';
        }
        out.push(c);
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)] // tests
mod tests {
    use super::*;

    fn loaded(file: &HistoryFile) -> Vec<String> {
        let mut all = Vec::new();
        file.load(&mut |record| {
            all.push(record);
            true
        })
        .expect("read");
        all
    }

    #[test]
    fn a_record_is_a_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = HistoryFile::new(folder.path().join("deep/history.dat"));
        assert_eq!((file.find(), loaded(&file)), (Ok(Found::Missing), Vec::new()));
        file.create().expect("made");
        assert_eq!(file.find(), Ok(Found::Empty));
        file.append(&[
            "{\n  \"ddl\" : \"CREATE \\\"a\\\\\\\"\\n b\",\n  \"p\" : [ 1, 2 ]\n}".to_owned(),
            "{ }".to_owned(),
        ])
        .expect("written");
        let expect = [r#"{"ddl":"CREATE \"a\\\"\n b","p":[1,2]}"#, "{}"];
        assert_eq!((file.find(), loaded(&file)), (Ok(Found::Records), expect.map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_a_crash_cut_off_is_left_out_and_a_line_without_its_end_is_not() {
        #[track_caller]
        fn check(kept: &str, read: &[&str], appended: &str) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("history.dat");
            fs::write(&path, kept).expect("written");
            let file = HistoryFile::new(&path);
            assert_eq!(loaded(&file), read, "{kept}");
            file.append(&["{\"c\":1}".to_owned()]).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("read"), appended, "{kept}");
        }
        check("", &[], "{\"c\":1}\n");
        check("{\"a\":1}\n", &["{\"a\":1}"], "{\"a\":1}\n{\"c\":1}\n");
        check("{\"a\":1}\n{\"b", &["{\"a\":1}"], "{\"a\":1}\n{\"c\":1}\n");
        check("{\"a\":1}", &["{\"a\":1}"], "{\"a\":1}\n{\"c\":1}\n");
    }
}
