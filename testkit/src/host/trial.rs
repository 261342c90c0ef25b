//! The trial plugin (`trial/`), which keeps and breaks the rules of a filter as a test asks it to.

use crate::places;
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// One build of it, in a folder of its own that goes with it.
pub struct Trial {
    folder: TempDir,
}

impl Trial {
    /// Compiled with these `-D` flags; `trial.h` says which it knows.
    pub fn build(defines: &[&str]) -> Trial {
        let folder = tempfile::tempdir_in(places::temporary()).expect("a folder");
        let sources = places::repository().join("testkit/src/host/trial");
        let output = Command::new(env::var("CC").as_deref().unwrap_or("cc"))
            .args(["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-shared", "-fPIC"])
            .args(defines.iter().map(|define| format!("-D{define}")))
            .args(["filter.c", "misdeeds.c", "output.c"].map(|file| sources.join(file)))
            .arg("-o")
            .arg(folder.path().join("flb-filter_trial.so"))
            .arg("-lpthread")
            .output()
            .expect("running cc");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        symlink("flb-filter_trial.so", folder.path().join("out_trial.so")).expect("a link");
        Trial { folder }
    }

    pub fn filter(&self) -> PathBuf {
        self.folder.path().join("flb-filter_trial.so")
    }

    /// The same file by the name of an output.
    pub fn output(&self) -> PathBuf {
        self.folder.path().join("out_trial.so")
    }

    /// Another file with the same content: another image, with statics of its own.
    pub fn copied_output(&self) -> PathBuf {
        let path = self.folder.path().join("out_copy.so");
        fs::copy(self.filter(), &path).expect("a copy");
        path
    }
}
