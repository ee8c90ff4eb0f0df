//! Operands of products, in buffers and in textures.

use super::{Configuration, shader::TEXTURE_WIDTH};
use crate::device::Context;
use std::sync::{Arc, OnceLock};

/// Bytes of a row of a texture.
const ROW_BYTES: u64 = TEXTURE_WIDTH as u64 * 16;

/// Whether an operand changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    /// It is uploaded before the first product is prepared, and stays: a layer's weights.
    Fixed,
    /// It may change between two computations of a product.
    Changing,
}

/// What products multiply: a buffer, and the texture to which it is copied, vector by vector, for configurations that
/// read texels. Clones share one texture.
#[derive(Clone)]
pub(crate) struct Operand {
    pub(super) buffer: wgpu::Buffer,
    content: Content,
    texels: Arc<OnceLock<Texels>>,
}

/// An operand's texture.
struct Texels {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
}

/// The bytes of the largest buffer that fits a texture with sides of at most `side` texels.
pub(super) const fn texture_capacity(side: u32) -> u64 {
    side as u64 * ROW_BYTES
}

/// The bytes of the texture of a buffer of `bytes`.
pub(crate) const fn texture_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(ROW_BYTES).saturating_mul(ROW_BYTES)
}

impl Operand {
    /// The rows in `buffer`, which needs the usages of [`Context::storage`].
    pub fn new(buffer: &wgpu::Buffer, content: Content) -> Self {
        Self {
            buffer: buffer.clone(),
            content,
            texels: Arc::default(),
        }
    }

    /// What `configuration` reads the operand from.
    pub(super) fn binding(&self, context: &Context, configuration: Configuration) -> wgpu::BindingResource<'_> {
        if configuration.reads_texels() {
            wgpu::BindingResource::TextureView(&self.texels(context).view)
        } else {
            self.buffer.as_entire_binding()
        }
    }

    /// The texture, created when it is first asked for. What is fixed is then copied at once.
    fn texels(&self, context: &Context) -> &Texels {
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

    /// Copies what may have changed to the texture.
    pub(super) fn refresh(&self, encoder: &mut wgpu::CommandEncoder) {
        if let (Content::Changing, Some(texels)) = (self.content, self.texels.get()) {
            texels.copy(&self.buffer, encoder);
        }
    }
}

impl Texels {
    /// A texture of so many vectors.
    fn new(context: &Context, vectors: u64) -> Self {
        let texture = context.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("operand"),
            size: wgpu::Extent3d {
                width: TEXTURE_WIDTH,
                // At most the height that a texture can have: `texture_capacity`.
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
