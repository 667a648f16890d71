// The service of these tests as Protocol Buffers describe it, without a compiler for them.
import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

const message = (name) => ({
  name,
  field: [{ name: "text", jsonName: "text", number: 1, type: Type.STRING, label: Label.OPTIONAL }],
});
const method = (name, more) => ({ name, inputType: ".shop.Words", outputType: ".shop.Words", ...more });
const file = {
  name: "shop.proto",
  package: "shop",
  syntax: "proto3",
  messageType: [message("Words")],
  service: [
    {
      name: "Echo",
      method: [
        method("Say"),
        method("Count", { serverStreaming: true }),
        method("Sum", { clientStreaming: true }),
        method("Chat", { clientStreaming: true, serverStreaming: true }),
      ],
    },
  ],
};
export const Echo = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService(
  "shop.Echo",
);
