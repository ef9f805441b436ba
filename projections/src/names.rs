//! Long names and the dense numbers that stand for them.

use hashbrown::HashMap;
use purser_events::policy::NodeType;
use purser_events::{
    Address, AssetNo, CapabilityNo, Event, Label, ModelNo, PartitionNo, PayerNo, PoolNo, RailNo,
    Recorded, TypeNo, WorkerNo,
};
use serde::{Deserialize, Serialize};

/// What a worker is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WorkerName {
    /// A payee of the intake, by its address.
    Address(Address),
    /// A registered miner, by the id that it chose.
    Miner(Label),
}

impl std::fmt::Display for WorkerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Miner(id) => id.fmt(f),
        }
    }
}

/// A partition of the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// What its nodes do.
    pub node_type: NodeType,
    /// Where they are.
    pub region: Label,
}

/// An asset that amounts may be held in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// The code people use.
    pub code: Label,
    /// Decimal places between the asset's unit and its base unit.
    pub exponent: u8,
}

/// All names, by number; and the numbers, by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Tables")]
pub struct Names {
    tables: Tables,
    #[serde(skip)]
    addresses: HashMap<Address, WorkerNo>,
    #[serde(skip)]
    miners: HashMap<Label, WorkerNo>,
    #[serde(skip)]
    models: HashMap<(Label, Label), ModelNo>,
    #[serde(skip)]
    types: HashMap<Label, TypeNo>,
    #[serde(skip)]
    payers: HashMap<Label, PayerNo>,
    #[serde(skip)]
    rails: HashMap<Label, RailNo>,
    #[serde(skip)]
    pools: HashMap<Label, PoolNo>,
    #[serde(skip)]
    capabilities: HashMap<Label, CapabilityNo>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tables {
    workers: Vec<WorkerName>,
    models: Vec<(Label, Label)>,
    types: Vec<Label>,
    partitions: Vec<Partition>,
    assets: Vec<Asset>,
    payers: Vec<Label>,
    rails: Vec<Label>,
    pools: Vec<Label>,
    capabilities: Vec<Label>,
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.tables == other.tables
    }
}

impl Eq for Names {}

impl From<Tables> for Names {
    fn from(tables: Tables) -> Self {
        let mut names = Self::default();
        for worker in tables.workers {
            names.push_worker(worker);
        }
        for (model, pipeline) in tables.models {
            names.push_model(model, pipeline);
        }
        for name in tables.types {
            names.push_type(name);
        }
        for name in tables.payers {
            names.push_payer(name);
        }
        for name in tables.rails {
            names.push_rail(name);
        }
        for name in tables.pools {
            names.push_pool(name);
        }
        for name in tables.capabilities {
            names.push_capability(name);
        }
        names.tables.partitions = tables.partitions;
        names.tables.assets = tables.assets;
        names
    }
}

impl Names {
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        match fact.event {
            Event::WorkerNamed(named) => {
                let number = self.push_worker(WorkerName::Address(named.address));
                assert_eq!(number, named.worker, "workers are numbered densely");
            }
            Event::WorkerRegistered(registered) => {
                let number = self.push_worker(WorkerName::Miner(registered.miner_id.clone()));
                assert_eq!(number, registered.worker, "workers are numbered densely");
            }
            Event::ModelNamed(named) => {
                let number = self.push_model(named.model_id.clone(), named.pipeline.clone());
                assert_eq!(number, named.model, "models are numbered densely");
            }
            Event::TypeNamed(named) => {
                let number = self.push_type(named.name.clone());
                assert_eq!(number, named.event_type, "event types are numbered densely");
            }
            Event::PayerNamed(named) => {
                let number = self.push_payer(named.name.clone());
                assert_eq!(number, named.payer, "payers are numbered densely");
            }
            Event::RailNamed(named) => {
                let number = self.push_rail(named.name.clone());
                assert_eq!(number, named.rail, "rails are numbered densely");
            }
            Event::PoolOpened(opened) => {
                let number = self.push_pool(opened.name.clone());
                assert_eq!(number, opened.pool, "pools are numbered densely");
            }
            Event::CapabilityDeclared(declared) => {
                let number = self.push_capability(declared.name.clone());
                assert_eq!(
                    number, declared.capability,
                    "capabilities are numbered densely"
                );
            }
            Event::PartitionDeclared(declared) => {
                let number = PartitionNo::following(self.tables.partitions.len());
                assert_eq!(
                    number, declared.partition,
                    "partitions are numbered densely"
                );
                let (node_type, region) = (declared.node_type, declared.region.clone());
                self.tables.partitions.push(Partition { node_type, region });
            }
            Event::AssetDeclared(declared) => {
                let number = AssetNo::following(self.tables.assets.len());
                assert_eq!(number, declared.asset, "assets are numbered densely");
                let (code, exponent) = (declared.code.clone(), declared.exponent);
                self.tables.assets.push(Asset { code, exponent });
            }
            _ => {}
        }
    }

    fn push_worker(&mut self, name: WorkerName) -> WorkerNo {
        let number = WorkerNo::following(self.tables.workers.len());
        let before = match &name {
            WorkerName::Address(address) => self.addresses.insert(*address, number),
            WorkerName::Miner(id) => self.miners.insert(id.clone(), number),
        };
        assert!(before.is_none(), "a worker is named once");
        self.tables.workers.push(name);
        number
    }

    fn push_model(&mut self, model: Label, pipeline: Label) -> ModelNo {
        let number = ModelNo::following(self.tables.models.len());
        let before = self
            .models
            .insert((model.clone(), pipeline.clone()), number);
        assert!(before.is_none(), "a model is named once");
        self.tables.models.push((model, pipeline));
        number
    }

    fn push_type(&mut self, name: Label) -> TypeNo {
        let number = TypeNo::following(self.tables.types.len());
        let before = self.types.insert(name.clone(), number);
        assert!(before.is_none(), "an event type is named once");
        self.tables.types.push(name);
        number
    }

    fn push_payer(&mut self, name: Label) -> PayerNo {
        let number = PayerNo::following(self.tables.payers.len());
        let before = self.payers.insert(name.clone(), number);
        assert!(before.is_none(), "a payer is named once");
        self.tables.payers.push(name);
        number
    }

    fn push_rail(&mut self, name: Label) -> RailNo {
        let number = RailNo::following(self.tables.rails.len());
        let before = self.rails.insert(name.clone(), number);
        assert!(before.is_none(), "a rail is named once");
        self.tables.rails.push(name);
        number
    }

    fn push_capability(&mut self, name: Label) -> CapabilityNo {
        let number = CapabilityNo::following(self.tables.capabilities.len());
        let before = self.capabilities.insert(name.clone(), number);
        assert!(before.is_none(), "a capability is named once");
        self.tables.capabilities.push(name);
        number
    }

    fn push_pool(&mut self, name: Label) -> PoolNo {
        let number = PoolNo::following(self.tables.pools.len());
        let before = self.pools.insert(name.clone(), number);
        assert!(before.is_none(), "a pool is named once");
        self.tables.pools.push(name);
        number
    }

    /// Every worker, by number.
    #[must_use]
    pub fn workers(&self) -> &[WorkerName] {
        &self.tables.workers
    }

    /// Every model and pipeline, by number.
    #[must_use]
    pub fn models(&self) -> &[(Label, Label)] {
        &self.tables.models
    }

    /// Every event type that is only counted, by number.
    #[must_use]
    pub fn types(&self) -> &[Label] {
        &self.tables.types
    }

    /// Every partition, by number.
    #[must_use]
    pub fn partitions(&self) -> &[Partition] {
        &self.tables.partitions
    }

    /// Every asset, by number.
    #[must_use]
    pub fn assets(&self) -> &[Asset] {
        &self.tables.assets
    }

    /// Every payer, by number.
    #[must_use]
    pub fn payers(&self) -> &[Label] {
        &self.tables.payers
    }

    /// Every way by which money comes in, by number.
    #[must_use]
    pub fn rails(&self) -> &[Label] {
        &self.tables.rails
    }

    /// Every capability whose slots are or were counted, by number.
    #[must_use]
    pub fn capabilities(&self) -> &[Label] {
        &self.tables.capabilities
    }

    /// The number of a capability.
    #[must_use]
    pub fn capability(&self, name: &Label) -> Option<CapabilityNo> {
        self.capabilities.get(name).copied()
    }

    /// Every pool of generosity, by number.
    #[must_use]
    pub fn pools(&self) -> &[Label] {
        &self.tables.pools
    }

    /// The number of a pool of generosity.
    #[must_use]
    pub fn pool(&self, name: &Label) -> Option<PoolNo> {
        self.pools.get(name).copied()
    }

    /// The number of a payer.
    #[must_use]
    pub fn payer(&self, name: &Label) -> Option<PayerNo> {
        self.payers.get(name).copied()
    }

    /// The number of a way by which money comes in.
    #[must_use]
    pub fn rail(&self, name: &Label) -> Option<RailNo> {
        self.rails.get(name).copied()
    }

    /// The number of an asset.
    #[must_use]
    pub fn asset(&self, code: &str) -> Option<AssetNo> {
        let mut assets = self.tables.assets.iter();
        let found = assets.position(|one| one.code.as_str() == code)?;
        Some(AssetNo::following(found))
    }

    /// The code of an asset; `#` and its number where none was declared.
    #[must_use]
    pub fn asset_code(&self, asset: AssetNo) -> String {
        let declared = self.tables.assets.get(asset.index());
        declared.map_or_else(|| format!("#{asset}"), |one| one.code.to_string())
    }

    /// The payee with this address.
    #[must_use]
    pub fn payee(&self, address: &Address) -> Option<WorkerNo> {
        self.addresses.get(address).copied()
    }

    /// The registered miner with this id.
    #[must_use]
    pub fn miner(&self, id: &Label) -> Option<WorkerNo> {
        self.miners.get(id).copied()
    }

    /// The worker that a person means: a miner id, or an address.
    #[must_use]
    pub fn worker(&self, text: &str) -> Option<WorkerNo> {
        let miner = Label::new(text).ok().and_then(|id| self.miner(&id));
        miner.or_else(|| self.payee(&Address::parse(text)?))
    }

    /// The number of a model and pipeline.
    #[must_use]
    pub fn model(&self, model: &Label, pipeline: &Label) -> Option<ModelNo> {
        self.models.get(&(model.clone(), pipeline.clone())).copied()
    }

    /// The number of an event type.
    #[must_use]
    pub fn event_type(&self, name: &Label) -> Option<TypeNo> {
        self.types.get(name).copied()
    }

    /// The partition of this node type and region.
    #[must_use]
    pub fn partition(&self, node_type: NodeType, region: &str) -> Option<PartitionNo> {
        let found = self
            .tables
            .partitions
            .iter()
            .position(|one| one.node_type == node_type && one.region.as_str() == region)?;
        Some(PartitionNo::following(found))
    }
}
