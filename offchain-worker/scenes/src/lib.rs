//! Scenes of rendering jobs: made from a description and meshes, and their outputs saved as pictures.
//!
//! [`Description`] is a scene as text (JSON). [`Description::build`] makes of it the scene that engines render, with
//! meshes from OBJ and glTF files ([`obj`], [`gltf`]) or computed ones ([`shapes`]). [`png`] writes outputs. Files may
//! come from anywhere: sizes and counts are checked before they are used, and every defect is an error.
//!
//! Floats are used once, while a scene is made. The job names the scene's bytes, and all engines compute from these.
//!
//! ```
//! let text = r##"{
//!     "materials": { "clay": { "surface": "diffuse", "colour": "#c0704a" } },
//!     "spheres": [{ "centre": [0, 1, 0], "radius": 1, "material": "clay" }],
//!     "camera": [{ "position": [0, 2, 6], "target": [0, 1, 0], "field_of_view": 40 }]
//! }"##;
//! let built = agora_scenes::Description::parse(text)?.build(&agora_scenes::NoFiles)?;
//! assert!(built.warnings.is_empty());
//! let scene = built.scene;
//! assert_eq!(agora_compute::scene::Scene::decode(&scene.encode())?, scene);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(missing_docs)]

mod build;
mod content;
mod description;
mod error;
mod files;
mod fixed;
pub mod gltf;
mod mesh;
pub mod obj;
mod place;
pub mod png;
mod polygon;
pub mod shapes;
pub mod trial;
mod warning;

pub use build::Built;
pub use content::Foreign;
pub use description::{
    CameraDescription, Colour, Description, MaterialDescription, MeshDescription, PatternDescription, PlaneDescription,
    Shading, ShapeDescription, SkyDescription, SphereDescription, SurfaceDescription,
};
pub use error::{DescriptionError, Fit, LineError, MeshError, PartError};
pub use files::{Files, Folder, MAX_FILE_BYTES, NoFiles};
pub use mesh::Mesh;
pub use warning::{Enlarge, MeshWarning, Place, Warning};
