//! Opens all files: those that the plugin writes, and those that it only reads.
//!
//! Others may share a folder, by error or because a volume is shared. A user who may write into it can put a symlink, a
//! FIFO or a file of their own where the plugin expects its own file. So the plugin opens a file that it **writes**
//! without following a symlink and without waiting, and checks the open file: it must be a regular file with one name
//! that belongs to the user we run as, and other users lose their rights to it (`own`). Any other file is
//! [`FileError`]: it is not read, written, renamed or removed.
//!
//! A file that the plugin only **reads** ([`fn@read`]) may be a symlink, because the kubelet mounts Secrets and ConfigMaps
//! that way. It must still lead to a regular file, and the plugin reads at most a fixed size.
//!
//! Common to all files: the identity of a file ([`FileId`]), its folder (`folder`), and names.

mod error;
mod folder;
mod id;
mod own;
mod read;
mod replace;

pub use error::{FileError, beside, is_refused};
pub use folder::{folder_of, is_wrong_path, not_private, sync_folder, with_suffix};
pub use id::FileId;
pub use own::{Access, existing, existing_or_new, new, new_for_group};
pub use read::{open_to_read, read};
pub use replace::{free_name, in_place_of_leftover, remove_own, rename_over};
