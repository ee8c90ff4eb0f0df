//! Regions as a module: a function each, and one that goes from region to region.

use crate::{
    emit::{Bounds, Emitter, at, is_untouched},
    layout::{END, ENTRIES, SEGMENT, WASM_PAGE},
    region::Region,
};
use std::borrow::Cow;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, ImportSection, MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};

/// The name of the function that runs from an address on.
pub const RUN: &str = "run";
/// Of the types: that of the function of a region, from the number of an entry to an address.
const REGION_TYPE: u32 = 0;
/// That of [`RUN`], from an address to an address.
const RUN_TYPE: u32 = 1;

/// The module of `regions`, which lie within `bounds`.
pub fn module(regions: &[Region], bounds: Bounds) -> Vec<u8> {
    let count = regions.len() as u32;
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I64]);
    types.ty().function([ValType::I64], [ValType::I64]);
    let mut imports = ImportSection::new();
    let pages = u64::from(END / WASM_PAGE);
    let memory = MemoryType {
        minimum: pages,
        maximum: Some(pages),
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    imports.import("", "", EntityType::Memory(memory));
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for (number, region) in (1..).zip(regions) {
        functions.function(REGION_TYPE);
        code.function(&Emitter::function(region, number, bounds));
    }
    functions.function(RUN_TYPE);
    code.function(&run(bounds));
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: count.into(),
        maximum: Some(count.into()),
        shared: false,
    });
    let mut exports = ExportSection::new();
    exports.export(RUN, ExportKind::Func, count);
    let mut elements = ElementSection::new();
    let all = Elements::Functions(Cow::Owned((0..count).collect()));
    elements.active(None, &ConstExpr::i32_const(0), all);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions);
    module
        .section(&tables)
        .section(&exports)
        .section(&elements)
        .section(&code);
    module.finish()
}

/// Runs region after region, until one leaves to the interpreter, or goes where nothing is translated or the code is not touched
/// in this segment yet.
fn run(bounds: Bounds) -> Function {
    const PC: u32 = 0;
    const PLACE: u32 = 1;
    const ENTRY: u32 = 2;
    const NUMBER: u32 = 3;
    // Labels within the loop.
    const AGAIN: u32 = 0;
    const OUT: u32 = 1;
    let mut function = Function::new([(3, ValType::I32)]);
    let mut code = function.instructions();
    code.i32_const(0).i32_load(at(SEGMENT, 2)).local_set(NUMBER);
    code.block(BlockType::Empty).loop_(BlockType::Empty);
    bounds.look_up(&mut code, PC, PLACE, OUT);
    code.local_get(PLACE).i32_load(at(ENTRIES, 2)).local_tee(ENTRY);
    code.i32_eqz().br_if(OUT);
    is_untouched(&mut code, PC, NUMBER);
    code.br_if(OUT);
    code.local_get(ENTRY).i32_const(0xFFFF).i32_and();
    // Regions are numbered from 1 on.
    code.local_get(ENTRY)
        .i32_const(16)
        .i32_shr_u()
        .i32_const(1)
        .i32_sub()
        .call_indirect(0, REGION_TYPE);
    code.local_tee(PC).i64_const(1).i64_and().i64_eqz().br_if(AGAIN);
    code.end().end().local_get(PC).end();
    function
}
