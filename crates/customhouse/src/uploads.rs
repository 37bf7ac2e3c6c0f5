//! Files on their way in through the pages: kept beside the pool until somebody has said what their columns mean.
//!
//! Only who sent a file sees it. What nobody admitted is swept when the program starts again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::jobs::Job;
use crate::pool::AdmitRequest;

/// Largest file that is taken through the pages; the command line takes larger ones.
pub const UPLOAD_BYTES_MAX: u64 = 4 << 30;
/// Files that may wait at once.
const WAITING_MAX: usize = 40;
/// Longest file name kept: file systems take 255 bytes.
const NAME_BYTES_MAX: usize = 200;

/// A file that waits to be admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Id.
    pub id: String,
    /// Its name where it came from, without folders.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Where it waits.
    pub path: PathBuf,
    owner: String,
}

/// The files that wait.
#[derive(Debug)]
pub(crate) struct Uploads {
    folder: PathBuf,
    waiting: Mutex<BTreeMap<String, Upload>>,
}

/// A file that is still coming in. Dropped before its end, it leaves nothing.
#[derive(Debug)]
pub struct Incoming<'a> {
    uploads: &'a Uploads,
    upload: Upload,
    file: File,
    finished: bool,
}

impl Uploads {
    /// Opens the folder and sweeps what an earlier process left.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let fail = |error: std::io::Error| Error::io("uploads_unwritable", folder, &error);
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(fail)?;
        }
        fs::create_dir_all(folder).map_err(fail)?;
        Ok(Self { folder: folder.to_owned(), waiting: Mutex::default() })
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, Upload>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, owner: &str, file_name: &str) -> Result<Incoming<'_>, Error> {
        if self.waiting().len() >= WAITING_MAX {
            return Err(Error::new(
                Kind::Busy,
                "too_many_uploads",
                format!("{WAITING_MAX} files wait to be admitted already"),
                "Admit or discard some of them.",
            ));
        }
        let id = hex::encode(crate::random_bytes::<12>()?);
        let base = file_name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
        let mut name: String = base.chars().filter(|c| !c.is_control()).collect();
        if name.trim_matches('.').is_empty() {
            "records.csv".clone_into(&mut name);
        }
        while name.len() > NAME_BYTES_MAX {
            // The end stays: it tells CSV from Parquet.
            name.remove(0);
        }
        let folder = self.folder.join(&id);
        let path = folder.join(&name);
        let file = fs::create_dir(&folder).and_then(|()| File::create(&path));
        let file = file.map_err(|error| Error::io("uploads_unwritable", &path, &error))?;
        let upload = Upload { id, name, bytes: 0, path, owner: owner.to_owned() };
        Ok(Incoming { uploads: self, upload, file, finished: false })
    }

    fn find(&self, owner: &str, id: &str) -> Result<Upload, Error> {
        self.waiting().get(id).filter(|upload| upload.owner == owner).cloned().ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "upload_unknown",
                "this file does not wait here: it was admitted, discarded, or swept by a restart",
                "Send the file again.",
            )
        })
    }

    fn discard(&self, id: &str) {
        if let Some(upload) = self.waiting().remove(id) {
            remove(&upload);
        }
    }
}

/// Removes a file with its folder; what cannot be removed now is swept at the next start.
fn remove(upload: &Upload) {
    let _ = upload.path.parent().map(fs::remove_dir_all);
}

impl Incoming<'_> {
    /// Takes the next piece.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.upload.bytes = self.upload.bytes.saturating_add(length);
        if self.upload.bytes > UPLOAD_BYTES_MAX {
            return Err(Error::new(
                Kind::Refused,
                "upload_too_large",
                format!("{} is larger than {} GiB", self.upload.name, UPLOAD_BYTES_MAX >> 30),
                "Use `tidewaiter import` on the machine itself, or split the file.",
            ));
        }
        self.file.write_all(bytes).map_err(|error| Error::io("uploads_unwritable", &self.upload.path, &error))
    }

    /// The file is whole.
    pub fn finish(mut self) -> Result<Upload, Error> {
        self.file.flush().map_err(|error| Error::io("uploads_unwritable", &self.upload.path, &error))?;
        self.finished = true;
        self.uploads.waiting().insert(self.upload.id.clone(), self.upload.clone());
        Ok(self.upload.clone())
    }
}

impl Drop for Incoming<'_> {
    fn drop(&mut self) {
        if !self.finished {
            remove(&self.upload);
        }
    }
}

impl Customhouse {
    /// Begins to take a file in.
    pub fn begin_upload(&self, reader: &Reader, file_name: &str) -> Result<Incoming<'_>, Error> {
        reader.require(Permission::AdmitRecords)?;
        self.uploads.begin(&reader.id, file_name)
    }

    /// A file of one's own that waits.
    pub fn find_upload(&self, reader: &Reader, id: &str) -> Result<Upload, Error> {
        reader.require(Permission::AdmitRecords)?;
        self.uploads.find(&reader.id, id)
    }

    /// Throws a file of one's own away.
    pub fn discard_upload(&self, reader: &Reader, id: &str) -> Result<(), Error> {
        let upload = self.find_upload(reader, id)?;
        self.uploads.discard(&upload.id);
        Ok(())
    }

    /// Admits a waiting file on a thread of its own; the job's result is the batch's id. The files named in `uploads`
    /// are gone once that is done, and stay where it was refused, so that the mapping can be mended.
    pub fn start_admission_of_uploads(
        self: &Arc<Self>,
        reader: &Reader,
        request: AdmitRequest,
        uploads: Vec<String>,
    ) -> Result<Arc<Job>, Error> {
        reader.require(Permission::AdmitRecords)?;
        let (house, reader) = (Arc::clone(self), reader.clone());
        self.jobs().start("admission", move |job| {
            let admission = house.admit(&reader, &request, job)?;
            for id in &uploads {
                house.uploads.discard(id);
            }
            Ok(admission.batch.summary.id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uploads() -> (tempfile::TempDir, Uploads) {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(&folder.path().join("uploads")).unwrap();
        (folder, uploads)
    }

    #[test]
    fn a_file_is_seen_by_who_sent_it_until_it_is_discarded() {
        let (_folder, uploads) = uploads();
        let mut incoming = uploads.begin("u-1", "C:\\data\\..\\Zoll\u{7}.CSV").unwrap();
        incoming.write(b"a;b\n").unwrap();
        let upload = incoming.finish().unwrap();
        assert_eq!((upload.name.as_str(), upload.bytes), ("Zoll.CSV", 4));
        assert!(upload.path.starts_with(&uploads.folder) && upload.path.ends_with("Zoll.CSV"));
        let dots = uploads.begin("u-1", "..").unwrap().finish().unwrap();
        assert_eq!(dots.name, "records.csv");
        let long = uploads.begin("u-1", &format!("{}.parquet", "关".repeat(500))).unwrap().finish().unwrap();
        assert!(long.name.len() <= NAME_BYTES_MAX && long.name.ends_with("关.parquet"));
        assert_eq!(uploads.find("u-1", &upload.id).unwrap(), upload);
        assert_eq!(uploads.find("u-2", &upload.id).unwrap_err().code, "upload_unknown");
        uploads.discard(&upload.id);
        assert!(!upload.path.exists());
    }

    #[test]
    fn a_file_that_broke_off_leaves_nothing_and_a_restart_sweeps_the_rest() {
        let (folder, uploads) = uploads();
        let mut broken = uploads.begin("u-1", "a.parquet").unwrap();
        broken.write(b"PAR1").unwrap();
        let path = broken.upload.path.clone();
        drop(broken);
        assert!(!path.exists());
        let whole = uploads.begin("u-1", "b.csv").unwrap().finish().unwrap();
        Uploads::open(&folder.path().join("uploads")).unwrap();
        assert!(!whole.path.exists());
    }
}
