//! The topology: what we know of the cluster, and what of it is connected.
//!
//! - `kind`: the kinds of objects that are listed and watched
//! - `object`: what is kept of each of them, which is little
//! - `parse`: an object's JSON becomes that, and nothing else of it is held
//! - `labels`, `selector`: what Services and budgets choose pods by
//! - `key`, `uid`: numbers in place of texts
//! - `scope`: which two objects may be related
//! - `intern`: strings that many objects share are held once
//! - `index`: an immutable snapshot with its look-ups; readers never wait
//! - `writer`: the one that makes the next snapshot; `relate` keeps its look-ups up, `endpoints` counts
//!   behind which Services a pod stands, `names`, `selectors`, `node_services` and `relation` are where it is looked up
//! - `table`: a hash table whose copies share what did not change
//! - `tombstones`: what was deleted is remembered for a while
//! - `freshness`: how far each kind can be believed
//! - `scan`: bytes of a list, cut anywhere, become its items; `lines` does it for a watch; `value` finds
//!   where a value ends
//! - `watch`: list and watch as a state machine, without I/O and without a clock
//!
//! Nothing here reads a clock or a socket: `cluster` does, and feeds it.

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
