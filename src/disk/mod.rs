//! One way to open files: those that the plugin writes, and those that it only reads.
//!
//! A folder may be shared with others, by error or because a volume is. Whoever may write into it can put a symlink,
//! a FIFO or a file of his own where the plugin expects its own file. So a file that the plugin **writes** is opened
//! without following a link and without waiting, and is looked at after it was opened: it has to be a regular file with
//! one name that belongs to the user we run as, and others lose their rights to it ([`own`]). Everything else is
//! [`Refused`]: it is not read, not written, not renamed and not removed.
//!
//! A file that the plugin only **reads** ([`read`]) may be a symlink, as the kubelet mounts Secrets and ConfigMaps by
//! symlinks. It has to be a regular file all the same, and is read up to a bound.
//!
//! What is the same for every file is here too: which file it is ([`FileId`]), its folder ([`folder`]), and names.

mod folder;
mod id;
mod own;
mod read;
mod refused;
mod replace;

pub use folder::{folder_of, is_wrong_path, not_private, sync_folder, with_suffix};
pub use id::FileId;
pub use own::{Access, existing, existing_or_new, new, new_for_group};
pub use read::{open_to_read, read};
pub use refused::{Refused, beside, is_refused};
pub use replace::{free_name, in_place_of_leftover, remove_own, rename_over};
