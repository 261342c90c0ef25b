//! A sort that needs little stack.
//!
//! A filter correlates on a stack of 24 KiB that may be the host's. The standard sorts recurse with some 600
//! bytes per level, and the stable one also keeps 4 KiB of scratch on the stack. Heapsort does neither.

/// Sorts by a key, in place and without recursion. Equal items may change places.
pub(super) fn sort_by_key<T: Copy, K: Ord>(items: &mut [T], key: impl Fn(T) -> K) {
    let len = items.len();
    // First builds a heap, from the middle down; then repeatedly moves the largest item to the end.
    for step in (0..len + len / 2).rev() {
        let (mut parent, end) = match step.checked_sub(len) {
            Some(parent) => (parent, len),
            None => {
                items.swap(0, step);
                (0, step)
            }
        };
        loop {
            let left = 2 * parent + 1;
            if left >= end {
                break;
            }
            let right = left + 1;
            let larger = if right < end && key(items[left]) < key(items[right]) { right } else { left };
            if key(items[parent]) >= key(items[larger]) {
                break;
            }
            items.swap(parent, larger);
            parent = larger;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sort_by_key;

    #[test]
    fn it_sorts_as_the_standard_library_does() {
        let mut seed = 7u64;
        for len in (0..70).chain([1_000]) {
            let mut items: Vec<u64> = (0..len)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 33) % 50
                })
                .collect();
            let mut wanted = items.clone();
            wanted.sort_unstable();
            sort_by_key(&mut items, |item| item);
            assert_eq!(items, wanted);
        }
    }
}
