//! `agora keys`

use crate::{
    args::{KeysArgs, KeysCommand},
    context::Context,
    exit::CliError,
    output::answer,
};
use agora_chain::Keypair;
use serde::Serialize;

/// A key's account.
#[derive(Serialize)]
pub struct Key {
    account: String,
    /// The file that was written; `None`: none was.
    file: Option<String>,
}

pub fn run(context: &Context, args: KeysArgs) -> Result<(), CliError> {
    let (keypair, file) = match args.command {
        KeysCommand::Generate { file, encrypt } => {
            let keypair = match encrypt {
                true => {
                    let password = context.password(Some("The same again: "))?;
                    if password.is_empty() {
                        return Err(CliError::Usage("an empty password protects nothing".to_owned()));
                    }
                    Keypair::generate_locked(&file, &password)?
                }
                false => Keypair::generate(&file)?,
            };
            (keypair, Some(file.display().to_string()))
        }
        KeysCommand::Show => (context.keypair()?, None),
    };
    let key = Key {
        account: keypair.account().to_string(),
        file,
    };
    answer(context, &key, |key| match &key.file {
        Some(file) => format!(
            "{}\nIts secret is in {file}: keep a copy where only you can read it.",
            key.account
        ),
        None => key.account.clone(),
    });
    Ok(())
}

#[cfg(test)]
pub fn example() -> Key {
    Key {
        account: "5F".to_owned(),
        file: None,
    }
}
