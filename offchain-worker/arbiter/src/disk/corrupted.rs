//! What somebody holds for true whose files are wrong. Compiled only with the feature `fault-injection`.

use super::{files::Files, folder::Folder, pages::Trouble, series::Series, stored::Stored};
use agora_disputes::player::{Knowledge, Truth};

impl Files {
    /// All of it, in memory. `None`: something is not at hand.
    pub fn truth(&self) -> Option<Truth> {
        let whole = |stored: Stored<'_>| stored.bytes(0, stored.blob.size);
        let states = 0..self.states.count();
        let kept = |state: u64| {
            let kept = self.kept_of(state)?;
            (0..kept.count()).map(|unit| whole(kept.get(unit)?)).collect()
        };
        Some(Truth {
            scans: (0..self.scans.count())
                .map(|unit| whole(self.scans.get(unit)?))
                .collect::<Option<_>>()?,
            unusable: self.is_unusable(),
            kept: states.clone().map(kept).collect::<Option<_>>()?,
            states: states
                .map(|state| whole(self.states.get(state)?))
                .collect::<Option<_>>()?,
        })
    }

    /// The same, but what it holds for true is what `change` makes of the truth. Everything is held in memory meanwhile, and written to
    /// a folder in this one's. `None`: something is not at hand, which is reported.
    pub fn corrupted(self, change: impl FnOnce(&mut Truth)) -> Option<Self> {
        let mut truth = self.truth()?;
        change(&mut truth);
        let made = self.of_truth(&truth);
        if let Err(trouble) = &made {
            self.folder.pages.report(trouble.clone());
        }
        made.ok()
    }

    fn of_truth(&self, truth: &Truth) -> Result<Self, Trouble> {
        let folder = Folder::open(&self.folder.at("corrupted"), u64::MAX, &self.folder.pages)?;
        let mut made = Self::resume((*self.spec).clone(), self.inputs.clone(), folder)?;
        made.unusable = truth.unusable;
        (made.scans, made.states) = (Series::new(&made.folder, "scans"), Series::new(&made.folder, "states"));
        let parts = [(&mut made.scans, &truth.scans), (&mut made.states, &truth.states)];
        for (series, contents) in parts {
            for content in contents {
                series.append(content)?;
                series.finish();
            }
            series.seal();
        }
        for (state, contents) in (0..).zip(&truth.kept) {
            let mut kept = made.series(state);
            for content in contents {
                kept.append(content)?;
                kept.finish();
            }
            made.keep(state, kept);
        }
        Ok(made)
    }
}
