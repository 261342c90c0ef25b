//! Do values in quotation marks reach the gateway from both kinds of configuration?
//!
//! Classic mode keeps quotation marks and backslashes as they are written; YAML takes them from single quotes.

use crate::{real, support};
use real::{BOUND, config, on_every_host};
use support::gateway::TestGateway;

const HEADERS: &str = r#"X-List: "a, b", X-Other: c, X-Said: "\"so, so\" in C:\\temp""#;

#[test]
fn headers_are_the_same_in_classic_mode_and_in_yaml() {
    on_every_host(|fluent_bit, folder| {
        for is_yaml in [false, true] {
            let gateway = TestGateway::start();
            let url = gateway.url();
            let classic = config(folder)
                .section("INPUT", &[("name", "dummy"), ("samples", "1"), ("tag", "kube_events")])
                .event_gateway(&[("endpoint", &*url), ("headers", HEADERS), ("compress", "none")])
                .text();
            let yaml = format!(
                "service:\n  flush: 0.2\n  plugins_file: plugins.conf\npipeline:\n  inputs:\n    - name: dummy\n      \
                 samples: 1\n      tag: kube_events\n      dummy: '{{\"a\": 1}}'\n  outputs:\n    - name: event_gateway\n      \
                 match: '*'\n      endpoint: {url}\n      compress: none\n      headers: '{HEADERS}'\n"
            );
            let mut host = if is_yaml {
                fluent_bit.start_yaml(&yaml, folder)
            } else {
                fluent_bit.start(&classic, folder)
            };
            gateway.wait_for_requests(1);
            let request = gateway.requests()[0].clone();
            let headers = ["x-list", "x-other", "x-said"].map(|name| request.header(name));
            assert_eq!(headers, [Some("a, b"), Some("c"), Some(r#""so, so" in C:\temp"#)], "YAML: {is_yaml}");
            host.sigterm();
            host.wait_for_exit(BOUND);
        }
    });
}
