//! What sentence-transformers does with a model around its encoder: `modules.json` and what that names.

use crate::{
    config::is_empty,
    dense::DenseModule,
    error::{ImportError, unsupported},
    files::{ModelFiles, inside, json},
};
use agora_compute::transformer::Pooling;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const MODULES: &str = "modules.json";
const SETTINGS: &str = "config_sentence_transformers.json";
/// The names that the settings of a transformer have had.
const TRANSFORMER: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// What is done with sentences and with the states of their tokens.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Recipe {
    /// The folder of the encoder.
    pub folder: String,
    /// That of the pooling. `None`: the mean is taken.
    pooling_folder: Option<String>,
    pub pooling: Pooling,
    /// That of the Dense layer, if there is one.
    dense_folder: Option<String>,
    /// The Dense layer behind the pooling.
    pub dense: Option<DenseModule>,
    /// Sentences are cut to so many tokens.
    pub max_tokens: Option<u32>,
    /// Sentences are put in small letters first.
    pub lowercase: bool,
    pub prompts: BTreeMap<String, String>,
    /// The prompt that is put in front of sentences unless another is chosen.
    pub default_prompt: Option<String>,
    /// What whoever imports the model should know.
    pub notes: Vec<String>,
}

#[derive(Deserialize, Debug)]
struct Module {
    #[serde(default)]
    path: String,
    #[serde(rename = "type")]
    class: String,
    #[serde(default)]
    kwargs: Value,
}

#[derive(Deserialize, Debug)]
#[serde(transparent)]
pub(crate) struct Settings(Map<String, Value>);

impl Settings {
    /// A setting, unless it says nothing.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !is_empty(value))
    }

    /// Takes settings of which no value matters.
    fn ignore<const N: usize>(&mut self, names: [&str; N]) {
        for name in names {
            self.0.remove(name);
        }
    }

    /// Refuses a module that reads or writes anything but the vector of the sentence.
    pub fn of_the_sentence(&mut self, file: &str) -> Result<(), ImportError> {
        for name in ["module_input_name", "module_output_name"] {
            if let Some(other) = self.take(name).filter(|value| value != "sentence_embedding") {
                return Err(unsupported(
                    file,
                    format!("the {name} {other}"),
                    "\"sentence_embedding\" is",
                ));
            }
        }
        Ok(())
    }

    /// Refuses a setting that nothing has taken: nobody knows what it would change.
    pub fn end(self, file: &str) -> Result<(), ImportError> {
        match self.0.iter().find(|(_, value)| !is_empty(value)) {
            None => Ok(()),
            Some((name, value)) => {
                let what = format!("the setting {name:?} ({value})");
                Err(unsupported(
                    file,
                    what,
                    "it may change the vectors; only known settings are read",
                ))
            }
        }
    }
}

impl Recipe {
    /// Reads what the folder says, but for what becomes of the states: that is [`Self::pool`]'s.
    ///
    /// Errors: `Unsupported`, `Missing`, and those of [`json`].
    pub fn read(files: &dyn ModelFiles) -> Result<Self, ImportError> {
        let mut recipe = Self {
            folder: String::new(),
            pooling_folder: None,
            pooling: Pooling::Mean,
            dense_folder: None,
            dense: None,
            max_tokens: None,
            lowercase: false,
            prompts: BTreeMap::new(),
            default_prompt: None,
            notes: Vec::new(),
        };
        let similarity = recipe.settings(files)?;
        let modules = modules(files)?;
        match modules.first() {
            None => recipe.notes.push(
                "there is no modules.json: the mean of the tokens is taken, as sentence-transformers does".to_owned(),
            ),
            Some(first) => recipe.folder.clone_from(&first.path),
        }
        recipe.transformer(files)?;
        let pooling = modules.iter().find(|module| module.name() == "Pooling");
        recipe.pooling_folder = pooling.map(|module| module.path.clone());
        let dense = modules.iter().find(|module| module.name() == "Dense");
        recipe.dense_folder = dense.map(|module| module.path.clone());
        for module in modules.iter().filter(|module| module.name() == "Normalize") {
            normalised(files, &module.path)?;
        }
        let is_normalised = modules.is_empty() || modules.iter().any(|module| module.name() == "Normalize");
        if !is_normalised {
            recipe.unnormalised(similarity.as_deref())?;
        }
        Ok(recipe)
    }

    /// Reads `config_sentence_transformers.json`; returns how vectors are to be compared.
    fn settings(&mut self, files: &dyn ModelFiles) -> Result<Option<String>, ImportError> {
        let Some(mut settings) = json::<Settings>(files, SETTINGS)? else {
            return Ok(None);
        };
        // Which versions of Python packages its maker wants.
        settings.ignore(["__version__", "requirements"]);
        if let Some(kind) = settings.take("model_type").filter(|kind| kind != "SentenceTransformer") {
            let what = format!("the model_type {kind}");
            return Err(unsupported(
                SETTINGS,
                what,
                "\"SentenceTransformer\", one vector for a sentence, is",
            ));
        }
        for (name, prompt) in
            typed::<BTreeMap<String, Option<String>>>(SETTINGS, settings.take("prompts"))?.unwrap_or_default()
        {
            self.prompts.insert(name, prompt.unwrap_or_default());
        }
        self.default_prompt = typed(SETTINGS, settings.take("default_prompt_name"))?;
        if let Some(name) = self
            .default_prompt
            .as_ref()
            .filter(|name| !self.prompts.contains_key(*name))
        {
            let remedy = "name one of its prompts, or none";
            return Err(unsupported(
                SETTINGS,
                format!("the default_prompt_name {name:?}, which is no prompt,"),
                remedy,
            ));
        }
        let similarity = typed(SETTINGS, settings.take("similarity_fn_name"))?;
        settings.end(SETTINGS)?;
        Ok(similarity)
    }

    /// Reads the settings of the transformer, such as `sentence_bert_config.json`.
    fn transformer(&mut self, files: &dyn ModelFiles) -> Result<(), ImportError> {
        for name in TRANSFORMER {
            let file = inside(&self.folder, name);
            let Some(mut settings) = json::<Settings>(files, &file)? else {
                continue;
            };
            self.max_tokens = typed(&file, settings.take("max_seq_length"))?;
            if self.max_tokens == Some(0) {
                return Err(unsupported(&file, "a max_seq_length of 0", "no sentence fits"));
            }
            self.lowercase = typed(&file, settings.take("do_lower_case"))?.unwrap_or(false);
            for (setting, only) in [
                ("transformer_task", "feature-extraction"),
                ("module_output_name", "token_embeddings"),
            ] {
                if let Some(other) = settings.take(setting).filter(|value| value != only) {
                    return Err(unsupported(
                        &file,
                        format!("the {setting} {other}"),
                        format!("{only:?} is"),
                    ));
                }
            }
            if let Some(modalities) = settings.take("modality_config") {
                let states = modalities.pointer("/text/method_output_name");
                if states.is_none_or(|states| states != "last_hidden_state") {
                    let what = format!("the modality_config {modalities}");
                    return Err(unsupported(
                        &file,
                        what,
                        "text is, of which the last_hidden_state is taken",
                    ));
                }
            }
            for arguments in ["model_args", "model_kwargs"] {
                let mut inner = Settings(typed(&file, settings.take(arguments))?.unwrap_or_default());
                // In which type of floats, how fast, from which file, and without a layer that no sentence's vector needs.
                inner.ignore([
                    "torch_dtype",
                    "dtype",
                    "attn_implementation",
                    "trust_remote_code",
                    "use_safetensors",
                    "low_cpu_mem_usage",
                    "add_pooling_layer",
                ]);
                inner.end(&file)?;
            }
            settings.ignore(["unpad_inputs", "cache_dir"]);
            settings.end(&file)?;
            break;
        }
        Ok(())
    }

    /// Reads the configurations of the pooling of states of `width` numbers, and of the Dense layer behind it.
    ///
    /// Errors: as [`Self::read`].
    pub fn pool(&mut self, files: &dyn ModelFiles, width: u32) -> Result<(), ImportError> {
        let Some(folder) = &self.pooling_folder else {
            return Ok(());
        };
        let file = inside(folder, "config.json");
        let mut settings = json::<Settings>(files, &file)?.ok_or_else(|| ImportError::Missing {
            file: file.clone(),
            remedy: format!("{MODULES} names it, and it says how tokens become a vector; download the whole model"),
        })?;
        for name in ["word_embedding_dimension", "embedding_dimension"] {
            if let Some(found) = settings.take(name).filter(|found| *found != width) {
                let remedy = format!("the encoder's hidden_size is {width}");
                return Err(unsupported(&file, format!("the {name} {found}"), remedy));
            }
        }
        let modes = modes(&file, &mut settings)?;
        let include_prompt = typed(&file, settings.take("include_prompt"))?.unwrap_or(true);
        settings.end(&file)?;
        if !include_prompt && self.prompts.values().any(|prompt| !prompt.is_empty()) {
            let what = "include_prompt false, together with prompts,";
            return Err(unsupported(&file, what, "jobs pool all tokens of an item"));
        }
        self.pooling = match modes.as_slice() {
            [] => Pooling::Mean,
            [one] => pooling_of(&file, one)?,
            several => {
                let what = format!("several poolings at once ({})", several.join(", "));
                return Err(unsupported(
                    &file,
                    what,
                    "one of cls, max, mean, mean_sqrt_len_tokens, weightedmean and lasttoken is",
                ));
            }
        };
        let Some(folder) = &self.dense_folder else {
            return Ok(());
        };
        let dense = DenseModule::read(files, folder, width)?;
        // What is taken instead of that mean has its direction, but not its length.
        if modes == ["mean_sqrt_len_tokens"] && !dense.is_linear() {
            let what = "mean_sqrt_len_tokens before a Dense that has a bias or an activation";
            return Err(unsupported(&file, what, "mean and weightedmean are"));
        }
        self.dense = Some(dense);
        Ok(())
    }

    /// The vectors of the model have lengths, and those of jobs have not.
    fn unnormalised(&mut self, similarity: Option<&str>) -> Result<(), ImportError> {
        match similarity {
            Some(name) if name != "cosine" => {
                let what = format!("the similarity_fn_name {name:?} without a Normalize module");
                let remedy = "the vectors of jobs have the length 1, so that only their cosines are those of the model";
                Err(unsupported(SETTINGS, what, remedy))
            }
            _ => {
                let note = "the model has no Normalize module: jobs give its vectors scaled to the length 1, of the same \
                            cosines";
                self.notes.push(note.to_owned());
                Ok(())
            }
        }
    }
}

/// Refuses a Normalize module in `folder` that scales anything but the vector of the sentence. Versions before 6 write no
/// configuration.
fn normalised(files: &dyn ModelFiles, folder: &str) -> Result<(), ImportError> {
    let file = inside(folder, "config.json");
    // In the model's own folder, that name is the encoder's.
    let settings = if folder.is_empty() {
        None
    } else {
        json::<Settings>(files, &file)?
    };
    let Some(mut settings) = settings else {
        return Ok(());
    };
    settings.of_the_sentence(&file)?;
    settings.end(&file)
}

/// The modes of a pooling, in the words of any version.
fn modes(file: &str, settings: &mut Settings) -> Result<Vec<String>, ImportError> {
    let legacy = [
        ("pooling_mode_cls_token", "cls"),
        ("pooling_mode_max_tokens", "max"),
        ("pooling_mode_mean_tokens", "mean"),
        ("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"),
        ("pooling_mode_weightedmean_tokens", "weightedmean"),
        ("pooling_mode_lasttoken", "lasttoken"),
    ];
    let mut modes = Vec::new();
    for (name, mode) in legacy {
        if typed(file, settings.take(name))?.unwrap_or(false) {
            modes.push(mode.to_owned());
        }
    }
    match settings.take("pooling_mode") {
        None => Ok(modes),
        Some(Value::String(mode)) => Ok(vec![mode]),
        several => Ok(typed(file, several)?.unwrap_or_default()),
    }
}

fn pooling_of(file: &str, mode: &str) -> Result<Pooling, ImportError> {
    Ok(match mode {
        // Sums and means of the same tokens have the same direction, and vectors are scaled to the length 1.
        "mean" | "mean_sqrt_len_tokens" => Pooling::Mean,
        "cls" => Pooling::First,
        "max" => Pooling::Max,
        "lasttoken" => Pooling::Last,
        "weightedmean" => Pooling::Weighted,
        other => {
            let what = format!("the pooling {other:?}");
            return Err(unsupported(
                file,
                what,
                "cls, max, mean, mean_sqrt_len_tokens, weightedmean and lasttoken are",
            ));
        }
    })
}

impl Module {
    /// The last part of the class's name.
    fn name(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or_default()
    }
}

/// The modules of `modules.json`, all of them known, in an order that is possible. Without that file: a module for each
/// folder that is named like one.
fn modules(files: &dyn ModelFiles) -> Result<Vec<Module>, ImportError> {
    let Some(modules) = json::<Vec<Module>>(files, MODULES)? else {
        return folders(files);
    };
    if modules.is_empty() {
        return Err(unsupported(
            MODULES,
            "a model without modules",
            "it names at least a Transformer",
        ));
    }
    for (place, module) in modules.iter().enumerate() {
        check(place, module)?;
    }
    check_dense(&modules)?;
    match modules.iter().filter(|module| module.name() == "Pooling").count() {
        1 => Ok(modules),
        0 => Err(unsupported(
            MODULES,
            "a model without a Pooling module",
            "a job gives one vector for a sentence",
        )),
        _ => Err(unsupported(MODULES, "more than one Pooling module", "one is")),
    }
}

fn check(place: usize, module: &Module) -> Result<(), ImportError> {
    let Module { path, class, kwargs } = module;
    let path_is_inside = !path.starts_with('/') && !path.contains('\\') && path.split('/').all(|part| part != "..");
    if !path_is_inside {
        return Err(unsupported(
            MODULES,
            format!("the path {path:?}"),
            "modules are inside the model's folder",
        ));
    }
    if !is_empty(kwargs) {
        return Err(unsupported(
            MODULES,
            format!("kwargs of {class} ({kwargs})"),
            "modules take sentences alone",
        ));
    }
    let known = class.starts_with("sentence_transformers.");
    let remedy = match (place, known, module.name()) {
        (0, true, "Transformer") | (1, true, "Pooling") | (2.., true, "Dense" | "Normalize" | "Dropout") => {
            return Ok(());
        }
        _ => "a Transformer, then Pooling, then Dense, if any, then Normalize, if any, are",
    };
    Err(unsupported(
        MODULES,
        format!("the module {class} in place {place}"),
        remedy,
    ))
}

/// Refuses several Dense modules, and one behind a Normalize.
fn check_dense(modules: &[Module]) -> Result<(), ImportError> {
    let places = |name: &'static str| {
        (0..)
            .zip(modules)
            .filter(move |(_, module): &(usize, _)| module.name() == name)
    };
    let mut dense = places("Dense").map(|(place, _)| place);
    let Some(first) = dense.next() else {
        return Ok(());
    };
    if let Some(second) = dense.next() {
        let remedy = "one is; two without an activation in between are one, whose weight is the product of theirs";
        return Err(unsupported(
            MODULES,
            format!("a second Dense module, in place {second},"),
            remedy,
        ));
    }
    match places("Normalize").find(|(place, _)| *place < first) {
        None => Ok(()),
        Some((place, _)) => {
            let remedy = "a package scales vectors to the length 1 once, behind the Dense";
            Err(unsupported(
                MODULES,
                format!("a Normalize module in place {place}, before the Dense,"),
                remedy,
            ))
        }
    }
}

/// The modules that a folder without `modules.json` has by the names of its folders, such as `1_Pooling`.
fn folders(files: &dyn ModelFiles) -> Result<Vec<Module>, ImportError> {
    let is_module = |name: &String| {
        name.split_once('_').is_some_and(|(number, name)| {
            number.parse::<u8>().is_ok() && name.starts_with(|c: char| c.is_ascii_uppercase())
        })
    };
    let names: Vec<String> = files.names().into_iter().filter(is_module).collect();
    match names.first() {
        None => Ok(Vec::new()),
        Some(first) => Err(ImportError::Missing {
            file: MODULES.to_owned(),
            remedy: format!("there is a folder {first}, and that file says what it is for; download the whole model"),
        }),
    }
}

/// `value` as what it should be.
pub(crate) fn typed<T: serde::de::DeserializeOwned>(
    file: &str,
    value: Option<Value>,
) -> Result<Option<T>, ImportError> {
    let parsed = value.map(serde_json::from_value).transpose();
    parsed.map_err(|source| ImportError::Json {
        file: file.to_owned(),
        source,
    })
}
