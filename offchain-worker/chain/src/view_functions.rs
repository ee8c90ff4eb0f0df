//! Calls of the runtime's view functions.
//!
//! subxt 0.51 finds a function and encodes its arguments. It neither puts the length before the arguments nor takes the
//! output out of the result that `RuntimeViewFunction_execute_view_function` returns. Both are done here.

use crate::{AtBlock, ChainError};
use codec::{Decode, DecodeAll, Encode};
use subxt::view_functions::Payload;

/// Length of the id of a view function: a hash of its pallet, and one of its signature.
const ID_BYTES: usize = 32;

/// Why the runtime does not execute a view function.
#[derive(Decode, PartialEq, Eq, Debug)]
enum Refusal {
    /// The runtime serves no view functions.
    NotImplemented,
    /// It has none with this id.
    NotFound([u8; ID_BYTES]),
    /// It cannot read the arguments.
    Codec,
}

impl AtBlock {
    /// Asks the runtime `question`, in the state after this block.
    ///
    /// Errors: `Incompatible` if the runtime's function is another than the one this program was made for, and what the
    /// node answers.
    pub(crate) async fn ask<Question: Payload>(&self, question: Question) -> Result<Question::ReturnType, ChainError>
    where
        Question::ReturnType: Decode,
    {
        let functions = self.at.view_functions();
        functions.validate(&question)?;
        let input = framed(&functions.encode_args(&question)?)?;
        let output = functions.call_raw(Some(&input)).await?;
        answer(&output)
    }
}

/// Arguments as the runtime reads them: the id, and the rest with its length.
fn framed(arguments: &[u8]) -> Result<Vec<u8>, ChainError> {
    let (id, rest) = arguments
        .split_first_chunk::<ID_BYTES>()
        .ok_or_else(|| ChainError::Incompatible("a view function has no id".to_owned()))?;
    Ok((id, rest).encode())
}

/// What the runtime wrote.
fn answer<T: Decode>(output: &[u8]) -> Result<T, ChainError> {
    let incompatible = |reason: String| ChainError::Incompatible(format!("a view function: {reason}"));
    let executed = Result::<Vec<u8>, Refusal>::decode_all(&mut &*output);
    let value = executed
        .map_err(|error| incompatible(error.to_string()))?
        .map_err(|refusal| incompatible(format!("{refusal:?}")))?;
    T::decode_all(&mut &*value).map_err(|error| incompatible(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_follow_the_id_with_their_length() {
        let bare = [vec![7; ID_BYTES], vec![1, 2, 3]].concat();
        assert_eq!(
            framed(&bare).unwrap(),
            [vec![7; ID_BYTES], vec![3 << 2, 1, 2, 3]].concat()
        );
        assert_eq!(framed(&[7; ID_BYTES]).unwrap().len(), ID_BYTES + 1);
        assert!(framed(&[7; ID_BYTES - 1]).is_err());
    }

    #[test]
    fn an_answer_is_read_whole_or_refused() {
        let ok = |value: Vec<u8>| Result::<Vec<u8>, ()>::Ok(value).encode();
        assert_eq!(answer::<Option<u64>>(&ok(Some(5u64).encode())).unwrap(), Some(5));
        assert_eq!(answer::<Option<u64>>(&ok(vec![0])).unwrap(), None);
        for wrong in [ok(vec![1, 5]), ok(vec![0, 0]), vec![], vec![1, 0], vec![1, 2], vec![2]] {
            let refused = answer::<Option<u64>>(&wrong);
            assert!(
                matches!(refused, Err(ChainError::Incompatible(_))),
                "{wrong:?}: {refused:?}"
            );
        }
    }
}
