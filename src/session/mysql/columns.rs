//! What the upstream says of a result's columns: which of them are masked, and what the client is told.

use super::{
    answer::{Running, Seen},
    replies::{Onward, told},
    talk::{End, Talk},
};
use crate::{
    kernel::mask::marks::Mismatch,
    session::mask,
    wire::mysql::{
        Capabilities,
        cell::{Shape, column_type},
        column::Column,
        packet::Header,
    },
};

impl Talk {
    /// A column of the result; with the last one the plan is made.
    pub(super) fn column(
        &mut self,
        running: &mut Running,
        payload: &[u8],
        header: Header,
    ) -> Result<Onward, End> {
        self.planned(running, payload)?;
        let extended = self.client.has(Capabilities::EXTENDED_METADATA);
        if !extended || running.told || !self.masks(running) {
            return Ok(told(running));
        }
        // A mask's values need not be JSON, which clients read by themselves where a column says that it is.
        let column = Column::read(payload, false, self.client).map_err(End::Upstream)?;
        column.write(&mut self.down, header.sequence, self.client);
        Ok(Onward::Swallow)
    }

    /// True if the last column that came is masked.
    fn masks(&self, running: &mut Running) -> bool {
        let Some(order) = running.run().and_then(|run| run.mask.clone()) else { return false };
        let Some(seen) = running.described.last() else { return true };
        let catalog = self.target.catalog.load_full();
        let column = mask::by_name(seen.origin(), running.format, &catalog);
        order.masks_at(running.described.len() - 1, &column)
    }

    fn planned(&mut self, running: &mut Running, payload: &[u8]) -> Result<(), End> {
        let masked = running.run().is_some_and(|run| run.mask.is_some() || run.hide.is_some());
        if !masked {
            return Ok(());
        }
        let column = Column::read(payload, false, self.client).map_err(End::Upstream)?;
        running.shapes.push(Shape::of(&column));
        running.described.push(Seen {
            name: column.name.to_vec(),
            schema: column.schema.to_vec(),
            table: column.org_table.to_vec(),
            column: column.org_name.to_vec(),
            holds: column_type(&column),
        });
        if running.described.len() < running.columns {
            return Ok(());
        }
        let catalog = self.target.catalog.load_full();
        let columns: Vec<_> = running
            .described
            .iter()
            .map(|seen| mask::by_name(seen.origin(), running.format, &catalog))
            .collect();
        let Some(run) = running.runs.get_mut(running.at).and_then(Option::as_mut) else {
            return Ok(());
        };
        let width = columns.len();
        if run.hide.as_ref().is_some_and(|hide| hide.width != width) {
            // Fail closed: nobody knows which column is which.
            run.cut(mask::mismatch(Mismatch::Shape));
        }
        let Some(order) = &run.mask else { return Ok(()) };
        match order.plan(&columns) {
            Ok(plan) => run.plan = Some(plan),
            Err(why) => run.cut(mask::mismatch(why)),
        }
        Ok(())
    }
}

impl Seen {
    fn origin(&self) -> mask::Origin<'_> {
        mask::Origin {
            name: &self.name,
            schema: &self.schema,
            table: &self.table,
            column: &self.column,
            holds: self.holds,
        }
    }
}
