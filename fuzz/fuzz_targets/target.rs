//! A body as a fuzz target: one state for all inputs, as the plugin has one for all chunks.

use std::cell::RefCell;

use bodies::Body;

thread_local! {
    static BODY: RefCell<Option<Box<dyn std::any::Any>>> = const { RefCell::new(None) };
}

/// Everything is checked, and closely.
pub fn check<B: Body + 'static>(input: &[u8]) {
    BODY.with_borrow_mut(|body| {
        let body = body.get_or_insert_with(|| Box::new(B::new()));
        body.downcast_mut::<B>().expect("one body a target").check(input, true);
    });
}
