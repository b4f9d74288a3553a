// A pretended GPU: tensors of the device "cuda" lie in main memory, and torch's CPU kernels compute on them.
//
// Operations of device "cuda" come to `fallback`, which calls the CPU's on the same memory. Tensors of both
// devices in one operation are refused, as a GPU would. Backward passes run in a thread of their own, as
// there. Loaded before torch looks for CUDA (LD_PRELOAD; see run.py), with a torch built without CUDA.
#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/native/TensorFactories.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/view_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/resize_native.h>
#include <c10/core/Allocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/CPUAllocator.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/library.h>

namespace {
using c10::Device;
using c10::DeviceType;
const Device GPU(DeviceType::CUDA, 0);

void drop(void* p) { c10::GetCPUAllocator()->raw_deallocate(p); }

struct Alloc final : c10::Allocator {
  c10::DataPtr allocate(size_t n) override {
    void* p = n ? c10::GetCPUAllocator()->raw_allocate(n) : nullptr;
    return {p, p, &drop, GPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &drop; }
  void copy_data(void* d, const void* s, size_t n) const override { default_copy_data(d, s, n); }
};
Alloc alloc;

struct Guard final : c10::impl::DeviceGuardImplInterface {
  DeviceType type() const override { return DeviceType::CUDA; }
  Device exchangeDevice(Device) const override { return GPU; }
  Device getDevice() const override { return GPU; }
  void setDevice(Device) const override {}
  void uncheckedSetDevice(Device) const noexcept override {}
  c10::Stream getStream(Device) const override { return c10::Stream(c10::Stream::DEFAULT, GPU); }
  c10::Stream getDefaultStream(Device) const override { return c10::Stream(c10::Stream::DEFAULT, GPU); }
  c10::Stream exchangeStream(c10::Stream) const override { return c10::Stream(c10::Stream::DEFAULT, GPU); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void recordDataPtrOnStream(const c10::DataPtr&, const c10::Stream&) const override {}
  void record(void** event, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override { *event = (void*)1; }
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, const c10::DeviceIndex) const noexcept override {}
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override {}
  bool isStreamCapturing(const c10::Stream&) const override { return false; }
  void synchronizeEvent(void*) const override {}
  void synchronizeDevice(const c10::DeviceIndex) const override {}
};

struct CUDAHooks final : at::CUDAHooksInterface {
  explicit CUDAHooks(at::CUDAHooksArgs) {}
  void init() const override {}
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasCUDA() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  c10::DeviceIndex current_device() const override { return 0; }
  int getNumGPUs() const override { return 1; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
  bool isPinnedPtr(const void*) const override { return false; }
  at::Allocator* getPinnedMemoryAllocator() const override { return c10::GetCPUAllocator(); }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex = -1) const override { return at::detail::getDefaultCPUGenerator(); }
  at::Generator getNewGenerator(c10::DeviceIndex = -1) const override { return at::detail::createCPUGenerator(); }
  void deviceSynchronize(c10::DeviceIndex) const override {}
};
C10_REGISTER_GUARD_IMPL(CUDA, Guard);

at::Tensor as(const at::Tensor& t, Device device, c10::DispatchKey key) {
  auto storage = t.storage();
  void* p = storage.mutable_data();
  auto keep = new c10::Storage(storage);
  c10::DataPtr held(p, keep, [](void* k) { delete static_cast<c10::Storage*>(k); }, device);
  auto impl = c10::make_intrusive<c10::StorageImpl>(
      c10::StorageImpl::use_byte_size_t(), storage.nbytes(), std::move(held),
      device.is_cpu() ? c10::GetCPUAllocator() : static_cast<c10::Allocator*>(&alloc), true);
  auto made = at::detail::make_tensor<c10::TensorImpl>(c10::Storage(impl), c10::DispatchKeySet(key), t.dtype());
  made.unsafeGetTensorImpl()->set_sizes_and_strides(t.sizes(), t.strides(), t.storage_offset());
  return made;
}
at::Tensor to_cpu(const at::Tensor& t) {
  if (!t.defined() || !t.is_cuda()) return t;
  return as(t, Device(DeviceType::CPU), c10::DispatchKey::CPU);
}
at::Tensor to_gpu(const at::Tensor& t) {
  if (!t.defined() || t.is_cuda()) return t;
  return as(t, GPU, c10::DispatchKey::CUDA);
}

bool mixes(const char* name) {  // CUDA kernels that take tensors of the CPU beside those of the GPU
  for (auto ok : {"aten::copy_", "aten::_copy_from", "aten::index_put_", "aten::index.Tensor",
                  "aten::_index_put_impl_", "aten::set_", "aten::index_put", "aten::_unsafe_index"})
    if (std::string(name).rfind(ok, 0) == 0) return true;
  return false;
}

void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  const size_t count = schema.arguments().size();
  auto args = torch::jit::last(stack, count);
  std::vector<c10::IValue> before(args.begin(), args.end());
  auto check = [&](const at::Tensor& t) {
    TORCH_CHECK(!t.defined() || t.is_cuda() || t.dim() == 0 || mixes(schema.name().c_str()),
        "Expected all tensors to be on the same device, but found cpu and cuda:0 in ", schema.name());
  };
  const size_t start = stack->size() - count;
  for (size_t i = 0; i < count; ++i) {
    auto& v = (*stack)[start + i];
    if (v.isTensor()) { check(v.toTensor()); v = to_cpu(v.toTensor()); }
    else if (v.isTensorList()) {
      c10::List<at::Tensor> l;
      for (const at::Tensor& t : v.toTensorVector()) { check(t); l.push_back(to_cpu(t)); }
      v = l;
    } else if (v.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> l;
      for (const auto& t : v.toOptionalTensorVector()) l.push_back(t ? std::optional<at::Tensor>(to_cpu(*t)) : t);
      v = l;
    } else if (v.isDevice() && v.toDevice().is_cuda()) v = Device(DeviceType::CPU);
  }
  std::vector<c10::IValue> during(stack->end() - count, stack->end());
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  // In-place and out= results are the caller's own tensors; sizes may have changed.
  auto aliased = [&](const at::Tensor& r) -> at::Tensor {
    if (!r.defined()) return r;
    for (size_t i = 0; i < count; ++i) {
      if (during[i].isTensor() && during[i].toTensor().is_same(r)) {
        auto old = before[i].toTensor();
        if (old.sizes() != r.sizes() || old.strides() != r.strides()) {
          auto fresh = to_gpu(r);
          old.unsafeGetTensorImpl()->set_storage_keep_dtype(fresh.storage());
          old.unsafeGetTensorImpl()->set_sizes_and_strides(r.sizes(), r.strides(), r.storage_offset());
        }
        return old;
      }
    }
    return to_gpu(r);
  };
  const size_t results = schema.returns().size();
  for (size_t i = stack->size() - results; i < stack->size(); ++i) {
    auto& v = (*stack)[i];
    if (v.isTensor()) v = aliased(v.toTensor());
    else if (v.isTensorList()) {
      c10::List<at::Tensor> l;
      for (const at::Tensor& t : v.toTensorVector()) l.push_back(to_gpu(t));
      v = l;
    }
  }
}

at::Tensor empty_mf(c10::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
    std::optional<Device>, std::optional<bool>, std::optional<at::MemoryFormat> mf) {
  return at::detail::empty_generic(size, &alloc, c10::DispatchKeySet(c10::DispatchKey::CUDA),
      c10::dtype_or_default(dtype), mf);
}
at::Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<at::ScalarType> dtype,
    std::optional<at::Layout>, std::optional<Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &alloc, c10::DispatchKeySet(c10::DispatchKey::CUDA),
      c10::dtype_or_default(dtype));
}
at::Tensor& copy_(at::Tensor& self, const at::Tensor& src, bool) {
  auto own = to_cpu(self);
  own.copy_(to_cpu(src));
  return self;
}
at::Scalar local_scalar(const at::Tensor& t) { return at::_local_scalar_dense(to_cpu(t)); }
const at::Tensor& resize_(const at::Tensor& self, c10::SymIntArrayRef size, std::optional<at::MemoryFormat>) {
  auto sizes = C10_AS_INTARRAYREF_SLOW(size);
  int64_t n = 1; for (auto s : sizes) n *= s;
  if ((size_t)(n * self.element_size()) > self.storage().nbytes()) {
    auto fresh = empty_mf(sizes, self.scalar_type(), {}, {}, {}, {});
    self.unsafeGetTensorImpl()->set_storage_keep_dtype(fresh.storage());
  }
  self.unsafeGetTensorImpl()->set_sizes_contiguous(sizes);
  return self;
}
at::Tensor view(const at::Tensor& t, c10::SymIntArrayRef size) {
  return at::native::view(t, C10_AS_INTARRAYREF_SLOW(size));
}
}  // namespace

namespace at {
REGISTER_CUDA_HOOKS(CUDAHooks)
}

TORCH_LIBRARY_IMPL(_, CUDA, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>()); }

TORCH_LIBRARY_IMPL(aten, CUDA, m) {
  m.impl("empty.memory_format", empty_mf);
  m.impl("empty_strided", empty_strided);
  m.impl("copy_", copy_);
  m.impl("_local_scalar_dense", local_scalar);
  m.impl("resize_", resize_);
  m.impl("view", view);
  m.impl("as_strided", at::native::as_strided_tensorimpl);
  m.impl("_reshape_alias", at::native::_reshape_alias);
  m.impl("set_.source_Storage", at::native::set_);
  m.impl("set_.source_Storage_storage_offset", at::native::set_storage_cpu_);
  m.impl("set_.source_Tensor", at::native::set_tensor_);
  m.impl("record_stream", [](at::Tensor&, c10::Stream) {});
  for (auto name : {"convolution", "convolution_backward", "native_dropout", "native_dropout_backward", "randperm.generator",
                    "embedding_dense_backward", "native_batch_norm", "native_batch_norm_backward",
                    "_fused_sgd_", "_fused_sgd_.tensor_lr", "_fused_adam_", "_fused_adam_.tensor_lr", "_fused_adamw_", "_fused_adamw_.tensor_lr"})
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&fallback>());
}

__attribute__((constructor)) static void start() { c10::SetAllocator(DeviceType::CUDA, &alloc, 100); }
