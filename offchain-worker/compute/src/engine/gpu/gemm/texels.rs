//! Factors in textures.

use super::{
    Factor,
    bounds::{Content, Lines},
    shader::TEXTURE_WIDTH,
};
use crate::engine::gpu::context::Context;

/// Bytes of a row of a texture.
const ROW_BYTES: u64 = TEXTURE_WIDTH as u64 * 16;

/// A factor's buffer, and the texture to which it is copied, vector by vector.
pub(super) struct Texels {
    buffer: wgpu::Buffer,
    texture: wgpu::Texture,
    pub view: Factor,
    content: Content,
}

impl Texels {
    /// A texture for the whole buffer of `lines`. What is fixed is copied at once.
    pub fn new(context: &Context, lines: &Lines<'_>) -> Self {
        let vectors = lines.buffer.size() / 16;
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
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let texels = Self {
            view: Factor::Texture(texture.create_view(&Default::default())),
            buffer: lines.buffer.clone(),
            texture,
            content: lines.content,
        };
        if lines.content == Content::Fixed {
            let mut encoder = context.device.create_command_encoder(&Default::default());
            texels.copy(&mut encoder);
            context.queue.submit([encoder.finish()]);
        }
        texels
    }

    /// The bytes of the largest buffer for which there is a texture of at most `height` rows.
    pub const fn capacity(height: u32) -> u64 {
        height as u64 * ROW_BYTES
    }

    /// Records the copying of what may have changed.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder) {
        if self.content == Content::Changing {
            self.copy(encoder);
        }
    }

    fn copy(&self, encoder: &mut wgpu::CommandEncoder) {
        let vectors = self.buffer.size() / 16;
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
                    buffer: &self.buffer,
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
