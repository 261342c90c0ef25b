//! What a request asks for: a resource, which of its objects, and what is to be done with them.

use super::request::Request;
use super::resource::Resource;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Delete,
}

impl Verb {
    /// As rules of RBAC name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Delete => "delete",
        }
    }

    pub(super) fn is_write(self) -> bool {
        matches!(self, Verb::Create | Verb::Update | Verb::Delete)
    }
}

/// Which objects of a resource; all by default.
#[derive(Clone, Default)]
pub(super) struct Scope {
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
}

pub(super) struct Asked {
    pub(super) resource: Resource,
    pub(super) scope: Scope,
    /// Nothing for a method that the path does not have here.
    pub(super) verb: Option<Verb>,
}

impl Asked {
    /// Nothing for a path that nobody serves.
    pub(super) fn by(request: &Request) -> Option<Self> {
        let (resource, namespace, name) = Resource::of_path(request.path())?;
        let verb = match (&*request.method, name) {
            ("GET", Some(_)) => Some(Verb::Get),
            ("GET", None) if request.is_watch() => Some(Verb::Watch),
            ("GET", None) => Some(Verb::List),
            ("POST", None) if namespace.is_some() => Some(Verb::Create),
            ("PUT", Some(_)) => Some(Verb::Update),
            ("DELETE", Some(_)) => Some(Verb::Delete),
            _ => None,
        };
        let verb = verb.filter(|verb| !verb.is_write() || resource.is_writable());
        let scope = Scope { namespace: namespace.map(str::to_owned), name: name.map(str::to_owned) };
        Some(Asked { resource, scope, verb })
    }

    /// The name of the verb, also of one that is not served.
    pub(super) fn verb_name(&self) -> &'static str {
        self.verb.map_or("patch", Verb::name)
    }

    /// Narrows a list or a watch to what its selectors name. All but `metadata.name=` are refused: answering as if
    /// there were none would be a lie that a test may not notice.
    pub(super) fn select(&mut self, request: &Request) -> Result<(), &'static str> {
        if request.parameter("labelSelector").is_some() {
            return Err("the test API server knows no label selectors");
        }
        let Some(selector) = request.parameter("fieldSelector") else { return Ok(()) };
        let name = selector.strip_prefix("metadata.name=").filter(|name| !name.contains([',', '=']));
        match name {
            Some(name) if self.scope.name.is_none() => {
                self.scope.name = Some(name.to_owned());
                Ok(())
            }
            _ => Err("the test API server knows no field selector but metadata.name"),
        }
    }
}
