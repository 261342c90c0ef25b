//! The formats by the words of the setting `format`, each with whether its service takes gzip and where it takes a key.

/// Makes the enum and its tables from one row per format.
macro_rules! formats {
    ($first:ident $first_word:literal $first_gzip:ident $first_key:expr;
     $($name:ident $word:literal $gzip:ident $key:expr;)*) => {
        /// A format by its word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum FormatName {
            #[doc = concat!("`", $first_word, "`")]
            $first,
            $(
                #[doc = concat!("`", $word, "`")]
                $name,
            )*
        }

        impl FormatName {
            /// All formats by the words of the setting.
            pub const WORDS: &[(&str, Self)] = &[($first_word, Self::$first), $(($word, Self::$name),)*];

            /// The words, for the help of the key.
            pub(super) const HELP: &str = concat!("one of ", $first_word, $(", ", $word,)*);

            fn row(self) -> (TakesGzip, Option<KeyPlace>) {
                match self {
                    Self::$first => (TakesGzip::$first_gzip, $first_key),
                    $(Self::$name => (TakesGzip::$gzip, $key),)*
                }
            }
        }
    };
}

// A row per format: name, word, whether its service unpacks gzip, and where the service looks for an API key of its own.
formats! {
    Native "native" Yes None;
    CloudEvents "cloudevents" Yes None;
    CloudEventsBatch "cloudevents_batch" Yes None;
    Raw "raw" Yes None;
    Template "template" Yes None;
    Otlp "otlp" Yes None;
    OtlpJson "otlp_json" Yes None;
    Ecs "ecs" Yes None;
    Elasticsearch "elasticsearch" Yes None;
    SplunkHec "splunk_hec" Yes Some(KeyPlace::Authorization { scheme: "Splunk" });
    Datadog "datadog" No Some(KeyPlace::Header { name: "dd-api-key" });
    Loki "loki" Yes None;
    Alertmanager "alertmanager" No None;
    // "Length of 'routing_key' is incorrect (should be 32 characters)", says the service.
    PagerDuty "pagerduty" No Some(KeyPlace::Body { characters: 32 });
    Falco "falco" No None;
    Gelf "gelf" Perhaps None;
    KubernetesEventExporter "kubernetes_event_exporter" Perhaps None;
    K8stream "k8stream" Yes None;
    Eventrouter "eventrouter" Perhaps None;
}

/// Whether the service of a format unpacks gzip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TakesGzip {
    Yes,
    /// Some receivers of the format do. Not by default.
    Perhaps,
    /// It does not: it would reject gzip as invalid JSON, and every record would be dead-lettered.
    No,
}

/// Where a service looks for its API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    /// `Authorization: <scheme> <key>`.
    Authorization {
        /// The word before the key.
        scheme: &'static str,
    },
    /// A header of its own; the name is in lower case.
    Header {
        /// The header's name.
        name: &'static str,
    },
    /// The body of each record. The key is read once and must have this many characters.
    Body {
        /// The key's length.
        characters: usize,
    },
}

impl FormatName {
    /// The default of `compress`.
    pub(super) fn compress(self) -> Compress {
        match self.row().0 {
            TakesGzip::Yes => Compress::Gzip,
            TakesGzip::Perhaps | TakesGzip::No => Compress::None,
        }
    }

    pub(super) fn takes_no_gzip(self) -> bool {
        self.row().0 == TakesGzip::No
    }

    /// Where the service looks for its API key; `None` if it has none of its own.
    #[must_use]
    pub fn key_place(self) -> Option<KeyPlace> {
        self.row().1
    }

    /// The words of the formats whose services have an API key.
    pub(super) fn with_key() -> String {
        let words: Vec<_> =
            Self::WORDS.iter().filter(|(_, one)| one.key_place().is_some()).map(|(word, _)| *word).collect();
        match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        }
    }
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compress {
    /// With gzip.
    Gzip,
    /// Not at all.
    None,
}
