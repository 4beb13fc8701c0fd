# Every functions/**/function.json, and what follows from them. Nothing about a single function is written anywhere else
# in this folder.
locals {
  manifests = {
    for found in fileset("${path.module}/..", "functions/*/*/function.json") :
    found => jsondecode(file("${path.module}/../${found}"))
  }
  functions = { for manifest in values(local.manifests) : manifest.name => manifest }

  # By trigger: what Pub/Sub pushes to, what Scheduler calls, what answers requests.
  subscribers = { for name, function in local.functions : name => function if can(function.trigger.topic) }
  scheduled   = { for name, function in local.functions : name => function if can(function.trigger.schedule) }

  # By who may call.
  public_functions = { for name, function in local.functions : name => function if function.callers == "public" }
  iap_functions    = { for name, function in local.functions : name => function if function.callers == "iap" }
  called_by_people = { for name, function in local.functions : name => function if contains(["iam", "iap"], function.callers) }

  # Who reads TASKS_SERVICE_ACCOUNT puts tasks into the queue. The queue calls back those that hear a topic, and jobs whose
  # slot was missed.
  task_users = { for name, function in local.functions : name => function if contains(function.variables, "TASKS_SERVICE_ACCOUNT") }
  task_callees = merge(
    { for name, function in local.task_users : name => function if can(function.trigger.topic) },
    { for name, function in local.scheduled : name => function if function.trigger.runs == "once-per-slot" },
  )

  topics = toset(concat(
    [for function in values(local.subscribers) : function.trigger.topic],
    flatten([for function in values(local.functions) : function.emits]),
  ))

  # function/topic => both, one for each topic a function publishes to.
  publications = merge([
    for name, function in local.functions : {
      for topic in function.emits : "${name}/${topic}" => { function = name, topic = topic }
    }
  ]...)

  # function/secret/use => all three. A secret is read unless the manifest's secretUses says otherwise.
  secret_uses = merge(flatten([
    for name, function in local.functions : [
      for secret in function.secrets : {
        for use in try(function.secretUses[secret], ["read"]) :
        "${name}/${secret}/${use}" => { function = name, secret = secret, use = use }
      }
    ]
  ])...)
}
