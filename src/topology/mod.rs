//! The topology: the objects of the cluster and how they are connected.
//!
//! - `kind`: the kinds that are listed and watched
//! - `object`: the few fields that are kept of an object
//! - `parse`: reads these fields from an object's JSON
//! - `labels`, `selector`: how Services and PodDisruptionBudgets select pods
//! - `key`, `uid`: compact forms of names and uids
//! - `scope`: which objects may be related across namespaces
//! - `intern`: stores shared strings once
//! - `index`: an immutable snapshot with look-ups; readers never wait
//! - `writer`: builds the next snapshot; `index_update` maintains its look-ups, which are in `endpoints`,
//!   `names`, `selector_index`, `node_services` and `relation`
//! - `table`: a hash table whose copies share unchanged parts
//! - `tombstones`: keeps deleted objects for a while
//! - `freshness`: how fresh each kind's data is
//! - `list_scanner`, `line_splitter`: split the bytes of a list into items, and of a watch into lines;
//!   `json_value` finds where a value ends
//! - `watch`: list and watch as a state machine, without I/O and without a clock
//!
//! Nothing here reads a clock or a socket; `cluster` does both and passes the data in.

pub mod endpoints;
pub mod freshness;
pub mod index;
mod index_update;
pub mod intern;
pub mod json_value;
pub mod key;
pub mod kind;
pub mod labels;
pub mod line_splitter;
pub mod list_scanner;
mod names;
pub mod node_services;
pub mod object;
pub mod parse;
pub mod relation;
pub mod scope;
pub mod selector;
mod selector_index;
pub mod table;
pub mod tombstones;
pub mod uid;
pub mod watch;
pub mod writer;
