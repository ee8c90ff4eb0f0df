//! The most that an adapter reaches in packed products of bytes alone, without memory and without waiting.

use crate::Failure;
use agora_compute::DeviceInfo;
use std::time::Instant;
use wgpu::util::DeviceExt;

/// Rows and columns of the square of sums that each invocation keeps.
const SIDE: usize = 8;
/// How often each invocation adds to all of its sums.
const ROUNDS: u32 = 256;
/// Invocations of a workgroup.
const GROUP: u32 = 256;
/// Workgroups of the first try.
const FIRST_GROUPS: u32 = 64;
/// The most workgroups per dimension that every adapter has.
const MAX_GROUPS: u32 = 65_535;
/// A try of this many seconds is long enough.
const ENOUGH: f64 = 0.2;
/// Tries of enough length; the fastest counts.
const TRIES: usize = 3;

/// The most GOPS of packed products on `device`.
///
/// Errors: the driver refuses the adapter, or it does not answer.
pub fn peak(device: &DeviceInfo) -> Result<f64, Failure> {
    let kernel = Kernel::open(device)?;
    let operations = f64::from(GROUP) * f64::from(ROUNDS) * (SIDE * SIDE) as f64 * 8.0;
    let mut groups = FIRST_GROUPS;
    // Longer and longer, so that the driver of a slow adapter does not give it up.
    while kernel.seconds(groups)? < ENOUGH && groups < MAX_GROUPS {
        groups = (groups * 2).min(MAX_GROUPS);
    }
    let mut fastest = f64::INFINITY;
    for _ in 0..TRIES {
        fastest = fastest.min(kernel.seconds(groups)?);
    }
    Ok(operations * f64::from(groups) / fastest / 1e9)
}

struct Kernel {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
}

impl Kernel {
    fn open(info: &DeviceInfo) -> Result<Self, Failure> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
        let adapter = adapters
            .into_iter()
            .find(|adapter| adapter.get_info().name == info.name)
            .ok_or_else(|| format!("{info} is gone"))?;
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()))?;
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(source().into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let data = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: None,
            contents: &[0x35; 4 * GROUP as usize],
            usage: wgpu::BufferUsages::STORAGE,
        });
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: data.as_entire_binding(),
            }],
        });
        Ok(Self {
            device,
            queue,
            pipeline,
            bindings,
        })
    }

    /// How long `groups` workgroups take.
    fn seconds(&self, groups: u32) -> Result<f64, Failure> {
        let mut encoder = self
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.bindings, &[]);
            pass.dispatch_workgroups(groups, 1, 1);
        }
        let commands = encoder.finish();
        let started = Instant::now();
        self.queue.submit([commands]);
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        Ok(started.elapsed().as_secs_f64())
    }
}

/// Each invocation adds the products of all pairs of some numbers `a` and `b` to a sum for each pair. `a` changes from
/// round to round by one addition for every eight products, so that no compiler can move a product out of the loop. The
/// sums are written, so that no compiler can leave them out.
fn source() -> String {
    let each = |line: &dyn Fn(usize) -> String| (0..SIDE).map(line).collect::<String>();
    let pairs = |line: &dyn Fn(usize, usize) -> String| each(&|i| each(&|j| line(i, j)));
    format!(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32, {GROUP}>;
        @compute @workgroup_size({GROUP})
        fn main(@builtin(local_invocation_index) index: u32) {{
            let seed = data[index];
            {inputs}{sums}
            for (var round = 0u; round < {ROUNDS}u; round++) {{
                {steps}{products}
            }}
            data[index] = bitcast<u32>(0{total});
        }}",
        inputs = each(&|i| format!("var a{i} = seed + {i}u; let b{i} = seed ^ {}u;\n", i * 0x0123_4567)),
        sums = pairs(&|i, j| format!("var s{i}_{j} = 0;\n")),
        steps = each(&|i| format!("a{i} += seed;\n")),
        products = pairs(&|i, j| format!("s{i}_{j} += dot4I8Packed(a{i}, b{j});\n")),
        total = pairs(&|i, j| format!(" ^ s{i}_{j}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_compute::find_device;

    #[test]
    fn an_adapter_computes_packed_products() {
        let device = find_device("auto").unwrap();
        let peak = peak(&device).unwrap();
        assert!(peak.is_finite() && peak > 0.1, "{peak} GOPS on {device}");
    }
}
