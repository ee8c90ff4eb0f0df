//! Compiled shaders, kept by name.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The pipelines of a device that were compiled so far.
#[derive(Default)]
pub(super) struct Pipelines(Mutex<HashMap<String, Arc<wgpu::ComputePipeline>>>);

impl Pipelines {
    /// The pipeline called `key`, compiled from `shader` when it is first asked for, without checks at run time.
    ///
    /// # Safety
    ///
    /// The shader must keep to its buffers, end its loops and not divide by zero, whatever the buffers hold.
    #[allow(unsafe_code, reason = "the caller proves it")]
    pub unsafe fn get(
        &self,
        device: &wgpu::Device,
        key: &str,
        shader: impl FnOnce() -> String,
        entry_point: &str,
    ) -> Arc<wgpu::ComputePipeline> {
        let mut pipelines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = pipelines.get(key) {
            return Arc::clone(pipeline);
        }
        // SAFETY: the caller's.
        let pipeline = Arc::new(unsafe { compile(device, key, &shader(), entry_point) });
        pipelines.insert(key.to_owned(), Arc::clone(&pipeline));
        pipeline
    }
}

/// Compiles `shader` without checks at run time.
///
/// # Safety
///
/// As [`Pipelines::get`].
#[allow(unsafe_code, reason = "the caller proves it")]
unsafe fn compile(device: &wgpu::Device, label: &str, shader: &str, entry_point: &str) -> wgpu::ComputePipeline {
    let source = wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(shader.into()),
    };
    // SAFETY: the caller's.
    let module = unsafe { device.create_shader_module_trusted(source, wgpu::ShaderRuntimeChecks::unchecked()) };
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(label),
        layout: None,
        module: &module,
        entry_point: Some(entry_point),
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    })
}
