//! Files of meshes and scenes as people have them: what is read has the area, volume and number of triangles that it should,
//! by measures and writers that share nothing with the readers; what is not read is refused by name.

mod descriptions;
mod document;
mod folders;
mod gltf_extensions;
mod gltf_files;
mod gltf_refused;
mod gltf_writer;
mod measure;
mod obj_files;
mod obj_refused;
mod obj_writer;
mod placing;
mod properties;
mod solids;
