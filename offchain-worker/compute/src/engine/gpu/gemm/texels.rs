//! Factors, in buffers and in textures.

use super::shader::TEXTURE_WIDTH;
use crate::engine::gpu::context::Context;
use std::sync::{Arc, OnceLock};

/// Bytes of a row of a texture.
const ROW_BYTES: u64 = TEXTURE_WIDTH as u64 * 16;

/// Whether a factor changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    /// It is in the queue before the first product is prepared, and stays: a layer's weights.
    Fixed,
    /// It may be another for each time a product is computed.
    Changing,
}

/// What products multiply: a buffer, and the texture to which it is copied, vector by vector, for tiles that read texels.
/// Clones are one, so that products share the texture.
#[derive(Clone)]
pub(crate) struct Factor {
    pub(super) buffer: wgpu::Buffer,
    content: Content,
    texels: Arc<OnceLock<Texels>>,
}

/// A factor's texture.
pub(super) struct Texels {
    texture: wgpu::Texture,
    pub view: wgpu::TextureView,
}

impl Factor {
    /// The lines in `buffer`, which needs the usages of [`Context::storage`].
    pub fn new(buffer: &wgpu::Buffer, content: Content) -> Self {
        Self {
            buffer: buffer.clone(),
            content,
            texels: Arc::default(),
        }
    }

    /// The texture, created when it is first asked for. What is fixed is then copied at once.
    pub(super) fn texels(&self, context: &Context) -> &Texels {
        self.texels.get_or_init(|| {
            let texels = Texels::new(context, self.buffer.size() / 16);
            if self.content == Content::Fixed {
                let mut encoder = context.device.create_command_encoder(&Default::default());
                texels.copy(&self.buffer, &mut encoder);
                context.queue.submit([encoder.finish()]);
            }
            texels
        })
    }

    /// Records the copying to the texture of what may have changed.
    pub(super) fn record(&self, encoder: &mut wgpu::CommandEncoder) {
        if let (Content::Changing, Some(texels)) = (self.content, self.texels.get()) {
            texels.copy(&self.buffer, encoder);
        }
    }
}

impl Texels {
    /// A texture of so many vectors.
    fn new(context: &Context, vectors: u64) -> Self {
        let texture = context.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("factor"),
            size: wgpu::Extent3d {
                width: TEXTURE_WIDTH,
                // At most the height that a texture can have: `Bounds::texture_bytes`.
                height: vectors.div_ceil(TEXTURE_WIDTH.into()) as u32,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba32Uint,
            usage: wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        Self {
            view: texture.create_view(&Default::default()),
            texture,
        }
    }

    /// The bytes of the largest buffer for which there is a texture of at most `height` rows.
    pub const fn capacity(height: u32) -> u64 {
        height as u64 * ROW_BYTES
    }

    fn copy(&self, buffer: &wgpu::Buffer, encoder: &mut wgpu::CommandEncoder) {
        let vectors = buffer.size() / 16;
        let width = u64::from(TEXTURE_WIDTH);
        // Whole rows, and the rest of the last one. The casts lose nothing: fewer than the texture's rows and columns.
        let rows = (vectors / width) as u32;
        let rest = (vectors % width) as u32;
        for (row, width, height) in [(0, TEXTURE_WIDTH, rows), (rows, rest, 1)] {
            if width == 0 || height == 0 {
                continue;
            }
            encoder.copy_buffer_to_texture(
                wgpu::TexelCopyBufferInfo {
                    buffer,
                    layout: wgpu::TexelCopyBufferLayout {
                        offset: u64::from(row) * ROW_BYTES,
                        bytes_per_row: Some(ROW_BYTES as u32),
                        rows_per_image: None,
                    },
                },
                wgpu::TexelCopyTextureInfo {
                    texture: &self.texture,
                    mip_level: 0,
                    origin: wgpu::Origin3d { x: 0, y: row, z: 0 },
                    aspect: wgpu::TextureAspect::All,
                },
                wgpu::Extent3d {
                    width,
                    height,
                    depth_or_array_layers: 1,
                },
            );
        }
    }
}
