//! A request as the server remembers it, and the form of answer that it asks for.

use crate::http::Head;

/// What a client asked for. Its resource, if there is one, stands in the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// The path with its query, as it came.
    pub target: String,
    pub accept: Option<String>,
    pub authorization: Option<String>,
    pub user_agent: Option<String>,
}

/// Whole objects, or their metadata only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    Metadata,
}

impl Request {
    pub(super) fn new(head: &Head) -> Self {
        let header = |name| head.header(name).map(str::to_owned);
        Request {
            method: head.method.clone(),
            target: head.path.clone(),
            accept: header("accept"),
            authorization: header("authorization"),
            user_agent: header("user-agent"),
        }
    }

    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The decoded value of a parameter of the query; one that is empty counts as absent.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| decoded(value))
    }

    pub fn is_watch(&self) -> bool {
        matches!(self.parameter("watch").as_deref(), Some("1" | "true"))
    }

    /// The first of the accepted types that the server can give, as its negotiation goes; or why there is none.
    pub(super) fn form(&self, is_list: bool) -> Result<Form, &'static str> {
        let Some(accept) = &self.accept else { return Ok(Form::Whole) };
        let kinds = accept.split(',').map(|kind| kind.split(';').map(str::trim).collect::<Vec<_>>());
        for kind in kinds {
            let parameter = |name: &str| kind.iter().find_map(|word| word.strip_prefix(name));
            let (group, version) = (parameter("g="), parameter("v="));
            match (kind[0], parameter("as=")) {
                ("application/json" | "application/*" | "*/*", None) => return Ok(Form::Whole),
                ("application/json", Some(kind)) if (group, version) == (Some("meta.k8s.io"), Some("v1")) => {
                    match (kind, is_list) {
                        ("PartialObjectMetadata", false) | ("PartialObjectMetadataList", true) => {
                            return Ok(Form::Metadata);
                        }
                        ("PartialObjectMetadata", true) => {
                            return Err(
                                "you requested PartialObjectMetadata, but the requested object is a list",
                            );
                        }
                        ("PartialObjectMetadataList", false) => {
                            return Err(
                                "you requested PartialObjectMetadataList, but the requested object is not a list",
                            );
                        }
                        _ => {} // Table, which this server does not make
                    }
                }
                _ => {}
            }
        }
        Err("only the following media types are accepted: application/json")
    }
}

/// Undoes percent-encoding; what is none stays as it is.
fn decoded(value: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
    while let [first, after @ ..] = rest {
        let code = match rest {
            [b'%', a, b, ..] => {
                std::str::from_utf8(&[*a, *b]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &rest[3..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
